//! The state table by hand, and that no sequence of commands leaves it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::video_request::Status;

/// Every state with every action, by hand from the product description. `-` is [`WrongState`].
const TABLE: &str = "
state              | approve   deny    ask                answer   cancel    unavailable  retry     release
pending            | approved  denied  needs_information  -        canceled  unavailable  -         -
needs_information  | -         -       -                  pending  canceled  -            -         -
approved           | -         -       -                  -        canceled  unavailable  -         -
exporting          | -         -       -                  -        canceled  unavailable  -         -
uploading          | -         -       -                  -        canceled  -            -         -
in_review          | -         denied  -                  -        -         -            -         released
released           | -         -       -                  -        -         -            -         -
unavailable        | -         -       -                  -        -         -            -         -
failed             | -         -       -                  -        canceled  -            approved  -
denied             | -         -       -                  -        -         -            -         -
canceled           | -         -       -                  -        -         -            -         -
expired            | -         -       -                  -        -         -            -         -

state              | lease      lease_lost  upload_started  arrived             fail    expire
pending            | -          -           -               -                   -       expired
needs_information  | -          -           -               -                   -       expired
approved           | exporting  -           uploading       -                   failed  expired
exporting          | exporting  approved    uploading       -                   failed  -
uploading          | uploading  uploading   uploading       in_review|released  failed  expired
in_review          | -          -           -               -                   -       -
released           | -          -           -               -                   -       -
unavailable        | -          -           -               -                   -       -
failed             | -          -           -               -                   -       -
denied             | -          -           -               -                   -       -
canceled           | -          -           -               -                   -       -
expired            | -          -           -               -                   -       -

state              | link_have  link_nothing  link_no  file_request  hold               free
pending            | approved   unavailable   denied   -             pending            pending
needs_information  | -          -             -        -             needs_information  needs_information
approved           | approved   unavailable   denied   approved      -                  -
exporting          | -          -             -        -             -                  -
uploading          | uploading  -             -        uploading     -                  -
in_review          | -          -             -        -             -                  -
released           | -          -             -        -             -                  -
unavailable        | -          -             -        -             -                  -
failed             | -          -             -        -             -                  -
denied             | -          -             -        -             -                  -
canceled           | -          -             -        -             -                  -
expired            | -          -             -        -             -                  -
";

fn table() -> BTreeMap<(State, Action), Vec<State>> {
    let mut table = BTreeMap::new();
    for block in TABLE.trim().split("\n\n") {
        let mut lines = block.lines().map(|line| line.split_once('|').unwrap());
        let actions: Vec<Action> = lines.next().unwrap().1.split_whitespace().map(|a| a.parse().unwrap()).collect();
        for (state, cells) in lines {
            let cells: Vec<&str> = cells.split_whitespace().collect();
            assert_eq!(cells.len(), actions.len(), "{state}");
            for (action, cell) in actions.iter().zip(cells) {
                let to = if cell == "-" { vec![] } else { cell.split('|').map(|s| s.parse().unwrap()).collect() };
                assert!(table.insert((state.trim().parse().unwrap(), *action), to).is_none());
            }
        }
    }
    table
}

pub(crate) fn item(state: State) -> RequestItem {
    let at = Timestamp::from_micros;
    let decided = !matches!(state, State::Pending | State::NeedsInformation);
    RequestItem {
        id: RequestItemId::new(at(0), [1; 10]),
        request_id: VideoRequestId::new(at(0), [2; 10]),
        source_id: None,
        organization_id: OrganizationId::new(at(0), [3; 10]),
        channels: None,
        asked: Window { from: at(100), to: at(200) },
        granted: decided.then_some(Window { from: at(100), to: at(200) }),
        state,
        reason: None,
        hold: Hold::None,
        held_until: None,
        review_before_release: false,
        level: None,
        decided_by: None,
        decided_at: None,
        bytes_done: 0,
        bytes_total: None,
        attempts: 0,
        overwrite_at: None,
        deadline_at: None,
        version: 1,
    }
}

fn somebody() -> AccountId {
    AccountId::new(Timestamp::from_micros(0), [7; 10])
}

/// Does the action through its method; review decides where `arrived` leads.
fn act(item: &mut RequestItem, action: Action, review: bool) -> Result<Change, Refused> {
    let now = Timestamp::from_micros(500);
    match action {
        Action::Approve => {
            let approval =
                Approval { by: somebody(), window: None, review_before_release: review, level: GrantedLevel::Download };
            item.approve(approval, now)
        }
        Action::Deny => Ok(item.deny(somebody(), now)?),
        Action::Ask => Ok(item.ask()?),
        Action::Answer => Ok(item.answer()?),
        Action::Cancel => Ok(item.cancel()?),
        Action::Unavailable => Ok(item.unavailable(UnavailableCode::Gap, "a gap", None, now)?),
        Action::Retry => Ok(item.retry(None)?),
        Action::Release => Ok(item.release()?),
        Action::Hold => Ok(item.hold()?),
        Action::Free => Ok(item.free()?),
        Action::FileRequest => Ok(item.go(Action::FileRequest, 0)?),
        Action::Lease => Ok(item.lease()?),
        Action::LeaseLost => Ok(item.lease_lost()?),
        Action::UploadStarted => Ok(item.upload_started()?),
        Action::Arrived => Ok(item.arrived()?),
        Action::Fail => Ok(item.fail(Reason { code: "disk_full".into(), detail: "no room".into() })?),
        Action::Expire => Ok(item.expire()?),
        Action::LinkHave => item.link_answer(LinkAnswer::Have, now),
        Action::LinkNothing => item.link_answer(LinkAnswer::Nothing, now),
        Action::LinkNo => item.link_answer(LinkAnswer::No, now),
    }
}

#[test]
fn the_table_names_every_state_and_action() {
    assert_eq!(table().len(), State::ALL.len() * Action::ALL.len());
}

#[test]
fn every_state_with_every_action_is_as_written() {
    for ((state, action), expected) in table() {
        assert_eq!(targets(state, action), expected, "{state} {action}");
        assert_eq!(allowed(state).any(|a| a == action), !expected.is_empty());
        for review in [false, true] {
            let mut item = item(state);
            item.review_before_release = review;
            item.hold = if action == Action::Free { Hold::Held } else { Hold::None };
            let before = item.clone();
            match act(&mut item, action, review) {
                Ok(change) => {
                    assert!(expected.contains(&item.state), "{state} {action} led to {}", item.state);
                    assert_eq!((change.action, change.from, change.to), (action, state, item.state));
                    if action == Action::Arrived {
                        assert_eq!(item.state, if review { State::InReview } else { State::Released });
                    }
                }
                Err(refused) => {
                    assert!(expected.is_empty(), "{state} {action}: {refused}");
                    assert_eq!(refused, Refused::WrongState(WrongState { action, state }));
                    assert_eq!(item, before, "a refused command changes nothing");
                }
            }
        }
    }
}

#[test]
fn ends_are_the_states_that_nothing_follows() {
    for state in State::ALL {
        assert_eq!(state.is_end(), allowed(*state).next().is_none(), "{state}");
        assert_eq!(state.as_str().parse(), Ok(*state));
    }
    assert!(!State::Failed.is_end() && !State::Failed.is_open());
}

#[test]
fn an_approval_narrows_and_never_widens() {
    let at = Timestamp::from_micros;
    let approval = |from, to| Approval {
        by: somebody(),
        window: Some(Window { from: at(from), to: at(to) }),
        review_before_release: true,
        level: GrantedLevel::View,
    };
    for (from, to) in [(99, 200), (100, 201), (150, 150), (160, 150), (300, 400)] {
        let mut item = item(State::Pending);
        assert!(matches!(item.approve(approval(from, to), at(1)), Err(Refused::OutsideWindow(_))));
        assert_eq!(item.state, State::Pending);
    }
    let mut item = item(State::Pending);
    let _ = item.approve(approval(120, 180), at(1)).unwrap();
    assert_eq!(item.asked, Window { from: at(100), to: at(200) });
    assert_eq!(item.window(), Window { from: at(120), to: at(180) });
    assert_eq!((item.level, item.decided_by.clone()), (Some(GrantedLevel::View), Some(somebody())));
    assert!(item.link_answer(LinkAnswer::Part(Window { from: at(100), to: at(150) }), at(2)).is_err());
    let _ = item.link_answer(LinkAnswer::Part(Window { from: at(120), to: at(150) }), at(2)).unwrap();
    assert_eq!(item.window().to, at(180), "what was granted stays");
    let _ = item.link_answer(LinkAnswer::Part(Window { from: at(120), to: at(180) }), at(3)).unwrap();
}

#[test]
fn what_the_owner_does_not_have_is_missing_while_footage_is_to_come_and_after() {
    let at = Timestamp::from_micros;
    let mut approved = item(State::Approved);
    let part = Window { from: at(110), to: at(200) };
    let gaps: Vec<_> = approved.lacks(Some(part)).into_iter().map(|gap| (gap.window(), gap.reason.is_some())).collect();
    assert_eq!(gaps, [(Window { from: at(100), to: at(110) }, true)]);
    assert_eq!(approved.lacks(None), []);
    let _ = approved.cancel().unwrap();
    assert_eq!(approved.lacks(Some(part)), [], "nothing is wanted any more");
}

#[test]
fn only_what_is_on_its_way_is_abandoned() {
    let mut uploading = item(State::Uploading);
    assert_eq!(uploading.abandoned().map(|change| change.to), Ok(State::Expired));
    assert_eq!(uploading.reason.map(|reason| reason.code), Some("link_abandoned".to_owned()));
    let mut released = item(State::Released);
    assert!(released.abandoned().is_err() && released.reason.is_none());
}

#[test]
fn what_is_held_is_not_held_again_and_what_is_not_is_not_freed() {
    let until = Timestamp::from_micros(900);
    let mut item = item(State::Pending);
    assert!(item.free().is_err());
    assert!(!item.hold().unwrap().frees_hold && item.hold().is_err());
    assert!(item.hold_answered(Hold::Held, Some(until)) && item.hold().is_err());
    assert!(!item.hold_answered(Hold::Held, None), "said twice");
    assert_eq!(item.held_until, Some(until));
    assert!(!item.hold_run_out(Timestamp::from_micros(899)) && item.hold_run_out(until));
    assert_eq!((item.hold, item.held_until), (Hold::Freed, None));
    assert!(!item.hold_answered(Hold::Held, Some(until)), "too late");
    let _ = item.hold().unwrap();
    assert!(item.free().unwrap().frees_hold);
}

#[test]
fn an_end_frees_the_hold() {
    for (state, action, freed) in [
        (State::Pending, Action::Deny, true),
        (State::Pending, Action::Cancel, true),
        (State::Pending, Action::Expire, true),
        (State::Uploading, Action::Arrived, true),
        (State::Pending, Action::Approve, false),
        (State::Exporting, Action::Fail, false),
    ] {
        let mut item = item(state);
        item.hold = Hold::Held;
        assert_eq!(act(&mut item, action, false).unwrap().frees_hold, freed, "{state} {action}");
        assert_eq!(item.hold, if freed { Hold::Freed } else { Hold::Held });
    }
}

#[test]
fn a_retry_starts_afresh() {
    let mut item = item(State::Exporting);
    let _ = item.lease().unwrap();
    assert!(item.progressed(10, Some(20)));
    let _ = item.fail(Reason { code: "x".into(), detail: "y".into() }).unwrap();
    assert!(!item.progressed(11, Some(20)));
    let _ = item.retry(Some(Timestamp::from_micros(900))).unwrap();
    assert_eq!((item.attempts, item.bytes_done, item.bytes_total, &item.reason), (0, 0, None, &None));
    assert!(!item.is_due(Timestamp::from_micros(899)) && item.is_due(Timestamp::from_micros(900)));
}

proptest! {
    #[test]
    fn no_sequence_of_commands_leaves_the_table(
        items in prop::collection::vec((any::<bool>(), 0..Hold::ALL.len()), 1..5),
        commands in prop::collection::vec((0..5usize, 0..Action::ALL.len(), any::<bool>()), 0..60),
    ) {
        let table = table();
        let mut items: Vec<RequestItem> = items
            .into_iter()
            .map(|(review, hold)| {
                let mut item = item(State::Pending);
                item.review_before_release = review;
                item.hold = Hold::ALL[hold];
                item
            })
            .collect();
        for (which, action, review) in commands {
            let count = items.len();
            let item = &mut items[which % count];
            let action = Action::ALL[action];
            let before = item.clone();
            let result = act(item, action, review);
            prop_assert!(!before.state.is_end() || *item == before, "an end state never changes");
            prop_assert_eq!(result.is_ok(), !table[&(before.state, action)].is_empty() && before.hold_allows(action));
            if item.state != before.state {
                prop_assert!(table[&(before.state, action)].contains(&item.state));
            }
            prop_assert!(item.granted.is_none_or(|granted| item.asked.contains(granted)));
            prop_assert_eq!(item.asked, before.asked);
            prop_assert!(!(item.state.is_end() && matches!(item.hold, Hold::Asked | Hold::Held)), "a hold outlives its item");
            let status = Status::of(items.iter().map(|item| item.state));
            prop_assert!(status.is_some(), "a request with items always has a status");
        }
    }
}
