//! Which tasks are worked on beside each other. What takes long (exports) must not keep from its turn what cannot wait (footage to be
//! kept from being overwritten) or what is quickly done, so each of these has room of its own.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Tasks that wait for something (a segment, an hour, room) cost nothing, so they do not count among those worked on; but there is
/// an end to it.
const WAITING_AT_MOST: usize = 256;

/// How many of what is quickly done are worked on at once.
const QUICK_AT_ONCE: usize = 4;

/// The lanes of a connector. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Lanes(Arc<[Lane; 3]>);

#[derive(Debug)]
struct Lane {
    kinds: &'static [&'static str],
    /// For each task, from its lease to its end.
    places: Arc<Semaphore>,
    /// For each that is worked on.
    turns: Arc<Semaphore>,
}

impl Lanes {
    /// Room for so many exports at once, and for as many holds beside them.
    pub fn new(tasks: usize) -> Self {
        let lane = |kinds, turns| {
            let places = Arc::new(Semaphore::new(WAITING_AT_MOST));
            Lane { kinds, places, turns: Arc::new(Semaphore::new(turns)) }
        };
        Self(Arc::new([
            lane(&["coverage", "free", "thumbnail", "discover"], QUICK_AT_ONCE),
            lane(&["hold"], tasks),
            lane(&["export"], tasks),
        ]))
    }

    /// Waits until there is room for something. The kinds that there is room for; none where there is room for any.
    pub async fn open(&self) -> Vec<String> {
        loop {
            let open: Vec<&Lane> = self.0.iter().filter(|lane| lane.is_open()).collect();
            if open.len() == self.0.len() {
                return Vec::new();
            }
            if !open.is_empty() {
                return open.iter().flat_map(|lane| lane.kinds).map(|kind| (*kind).to_owned()).collect();
            }
            let _ = futures::future::select_all(self.0.iter().map(|lane| Box::pin(lane.opens()))).await;
        }
    }

    /// The place of a leased task, whose turn comes. What is of no known kind is quickly done: it is answered that it is not known.
    pub async fn enter(&self, kind: &str) -> Slot {
        let lane = self.0.iter().find(|lane| lane.kinds.contains(&kind)).unwrap_or(&self.0[0]);
        let _place = Arc::clone(&lane.places).acquire_owned().await.ok();
        Slot { _place, turn: Arc::clone(&lane.turns).try_acquire_owned().ok(), turns: Arc::clone(&lane.turns) }
    }
}

impl Lane {
    fn is_open(&self) -> bool {
        self.places.available_permits() > 0 && self.turns.available_permits() > 0
    }

    async fn opens(&self) {
        drop((self.places.acquire().await, self.turns.acquire().await));
    }
}

/// A task's place in its lane, and its turn, which can be put down while there is nothing to do but wait.
#[derive(Debug)]
pub struct Slot {
    _place: Option<OwnedSemaphorePermit>,
    turn: Option<OwnedSemaphorePermit>,
    turns: Arc<Semaphore>,
}

impl Slot {
    /// Lets others work.
    pub fn put_down(&mut self) {
        self.turn = None;
    }

    /// Waits for a turn, unless it has one.
    pub async fn take_up(&mut self) {
        if self.turn.is_none() {
            self.turn = Arc::clone(&self.turns).acquire_owned().await.ok();
        }
    }
}
