//! Events that are held: archived, and marked in their notes. ZoneMinder knows only whether an event is archived; the marks tell how many hold
//! it, also those of another connector. The last one who lets go of it has it purged again. What somebody else had archived stays so.

use reqwest::Method;

use super::event::{Event, Events};
use super::{ZoneMinder, among, with_token};
use crate::adapter::web::{Pages, WebError};
use crate::adapter::{Locks, Trouble};

/// So begins a mark.
const MARK: &str = "[sightline ";
/// Two who write the notes of an event at once may each have to write them again.
const TRIES: u32 = 5;

/// A lock: its mark, and the events that it is on. Written `1f0c…:12,~13`; a version without marks wrote `12,13`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Lock {
    mark: Option<String>,
    events: Vec<Locked>,
}

/// An event of a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Locked {
    id: String,
    /// Somebody else had archived it before.
    theirs: bool,
}

impl Lock {
    pub(super) fn read(name: &str) -> Self {
        let (mark, events) = match name.split_once(':') {
            Some((mark, events)) => (Some(mark.to_owned()), events),
            None => (None, name),
        };
        let locked = |id: &str| Locked { id: id.trim_start_matches('~').to_owned(), theirs: id.starts_with('~') };
        Self { mark, events: events.split(',').filter(|id| !id.is_empty()).map(locked).collect() }
    }

    /// Whether it is what keeps an event.
    pub(super) fn keeps(&self, event: &str) -> bool {
        self.events.iter().any(|locked| locked.id == event && !locked.theirs)
    }

    fn name(&self) -> String {
        let id = |locked: &Locked| format!("{}{}", if locked.theirs { "~" } else { "" }, locked.id);
        let events: Vec<_> = self.events.iter().map(id).collect();
        format!("{}:{}", self.mark.as_deref().unwrap_or_default(), events.join(","))
    }

    fn marked(&mut self) -> Result<String, Trouble> {
        if let Some(mark) = &self.mark {
            return Ok(mark.clone());
        }
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(Trouble::again)?;
        Ok(self.mark.insert(crate::hex(&bytes)).clone())
    }
}

fn written(mark: &str) -> String {
    format!("{MARK}{mark}]")
}

impl ZoneMinder {
    /// Archives and marks events; answers the lock's name.
    pub(super) async fn lock(&self, events: &[&Event], locks: &Locks<'_>) -> Result<String, Trouble> {
        // what was archived before, and not by us, is somebody else's to let go
        let ours = |event: &Event| {
            let name = event.name();
            !event.archived()
                || event.notes().contains(MARK)
                || among(locks.others, &name)
                || among(locks.begun.as_slice(), &name)
        };
        let locked = |event: &&Event| Locked { id: event.name(), theirs: !ours(event) };
        let mark = locks.begun.as_deref().and_then(|begun| Lock::read(begun).mark);
        let mut lock = Lock { mark, events: events.iter().map(locked).collect() };
        let mark = lock.marked()?;
        (locks.begin)(&lock.name()).map_err(Trouble::disk)?;
        for Locked { id, .. } in lock.events.iter().filter(|locked| !locked.theirs) {
            self.keep(id, &mark).await?;
        }
        Ok(lock.name())
    }

    /// Looks whether a lock still holds, and sets again what somebody lifted; answers its name from now on, none if its events are gone.
    pub(super) async fn look_at(&self, name: &str) -> Result<Option<String>, Trouble> {
        let mut lock = Lock::read(name);
        let mark = lock.marked()?;
        let mut there = Vec::new();
        for mut locked in lock.events {
            let Some(event) = self.event(&locked.id).await? else {
                tracing::warn!(event = locked.id, "an event that is held is gone");
                continue;
            };
            if !locked.theirs || !event.archived() {
                locked.theirs = false;
                self.keep(&locked.id, &mark).await?;
            }
            there.push(locked);
        }
        lock.events = there;
        Ok((!lock.events.is_empty()).then(|| lock.name()))
    }

    /// Takes the marks of a lock off, and lets ZoneMinder purge what nobody else has marked.
    pub(super) async fn unlock(&self, name: &str, others: &[String]) -> Result<(), Trouble> {
        let lock = Lock::read(name);
        for Locked { id, .. } in lock.events.iter().filter(|locked| !locked.theirs) {
            let Some(event) = self.event(id).await? else { continue };
            let Some(mark) = &lock.mark else {
                if !among(others, id) && !event.notes().contains(MARK) {
                    self.write(id, false, event.notes()).await?;
                }
                continue;
            };
            let (mark, notes) = (written(mark), event.notes());
            if notes.contains(&mark) {
                let notes = notes.replace(&mark, "");
                let archived = notes.contains(MARK) || among(others, id);
                self.write(id, archived, notes.trim_end()).await?;
            }
        }
        Ok(())
    }

    /// Archives an event with a mark in its notes. Whoever else writes them at the same time may have to be told again.
    async fn keep(&self, id: &str, mark: &str) -> Result<(), Trouble> {
        let mark = written(mark);
        for _ in 0..TRIES {
            let Some(event) = self.event(id).await? else { return Ok(()) };
            let marked = event.notes().contains(&mark);
            if marked && event.archived() {
                return Ok(());
            }
            let notes = if marked { event.notes().to_owned() } else { format!("{} {mark}", event.notes()) };
            self.write(id, true, notes.trim_start()).await?;
        }
        Err(Trouble::again(format!("The video system does not keep event {id} as it was told to.")))
    }

    /// An event as it is now, if it is still there.
    async fn event(&self, id: &str) -> Result<Option<Event>, Trouble> {
        let path = ["events", "index", &format!("Id:{id}.json")];
        let found: Events = self.api(&path, &[], &mut Pages::default()).await?;
        Ok(found.events.into_iter().map(|row| row.event).find(|event| event.name() == id))
    }

    /// Sets or clears the mark that keeps an event from being purged, and writes its notes.
    async fn write(&self, id: &str, archived: bool, notes: &str) -> Result<(), Trouble> {
        let form = [("Event[Archived]", if archived { "1" } else { "0" }), ("Event[Notes]", notes)];
        let ask = |token: &str| {
            let request = self.web.request(Method::PUT, &["api", "events", &format!("{id}.json")]);
            with_token(request, token).form(&form)
        };
        let token = self.login.token(&self.web, &self.config).await?;
        let answer = match self.web.bytes(ask(&token), 1 << 20).await {
            Err(WebError::Refused(_)) => {
                let token = self.login.anew(&self.web, &self.config).await?;
                self.web.bytes(ask(&token), 1 << 20).await
            }
            answer => answer,
        };
        match answer {
            Ok(_) | Err(WebError::NotFound) => Ok(()),
            // it was just asked for the event, and answered
            Err(WebError::Refused(_)) => Err(Trouble::NoLock(NO_RIGHT.into())),
            Err(error) => Err(error.into()),
        }
    }
}

const NO_RIGHT: &str = "The account of the video system may not archive events: it needs Events Edit.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_told_by_its_name() {
        let name = "1f0c:12,~13";
        let lock = Lock::read(name);
        assert_eq!(lock.name(), name);
        assert!(lock.keeps("12") && !lock.keeps("13") && !lock.keeps("1"));
        let before = Lock::read("12,13");
        assert!(before.mark.is_none() && before.keeps("13"));
        assert!(Lock::read("").events.is_empty());
    }
}
