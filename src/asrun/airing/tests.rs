//! What facts sum up to.

use proptest::prelude::*;

use super::*;

const AT: Timestamp = Timestamp::UNIX_EPOCH;
const EXPECTED: u64 = 480_000;

fn end(delivered: u64, cause: Option<Cause>) -> End {
    End {
        started: Some(AT),
        ended: Some(AT),
        delivered,
        starved: 0,
        unpowered: false,
        held_by: None,
        cause,
        at: AT,
    }
}

fn take(number: u16, end: Option<End>) -> Take {
    Take {
        take: number,
        planned: AT,
        skip: SignedDuration::ZERO,
        held_by: None,
        expected: EXPECTED,
        sample_rate: 48_000,
        device: "default".to_owned(),
        clock: ClockHealth::Synchronised,
        opened: AT + SignedDuration::from_secs(i64::from(number)),
        end,
    }
}

fn item() -> Item {
    Item {
        cue: "2026-11-23/sang/muc/0".parse().unwrap(),
        output: "loa-xa".into(),
        zones: Vec::new(),
        session_title: None,
        title: String::new(),
        programme: None,
        topic: None,
        form: Form::Own,
        layer: Layer::Scheduled,
        ordered_by: None,
        planned: AT,
        planned_end: AT + SignedDuration::from_secs(10),
        lost: SignedDuration::ZERO,
        late: Some(Late::Join),
        gain_db: 0.0,
        segment: None,
        withdrawn: None,
    }
}

fn airing(takes: Vec<Take>) -> Airing {
    Airing { item: item(), run: None, takes, unheard: None, decision: None }
}

fn outcome(ends: &[End]) -> Outcome {
    airing((0..).zip(ends).map(|(number, end)| take(number, Some(end.clone()))).collect()).outcome()
}

#[test]
fn aired_means_every_frame_in_one_take_from_the_beginning_without_a_cause() {
    assert_eq!(outcome(&[end(EXPECTED, None)]), Outcome::Aired);
    assert_eq!(outcome(&[end(EXPECTED - TOLERANCE_FRAMES, None)]), Outcome::Aired);
    assert_eq!(outcome(&[end(EXPECTED, Some(Cause::PlannedCut))]), Outcome::Aired);
    let short = end(EXPECTED - TOLERANCE_FRAMES - 1, None);
    assert_eq!(outcome(&[short]), Outcome::Partly(Cause::OutputDown));
    let cut = end(EXPECTED / 2, Some(Cause::PlannedCut));
    assert_eq!(outcome(&[cut]), Outcome::Partly(Cause::PlannedCut));
    assert_eq!(outcome(&[end(EXPECTED, Some(Cause::Emergency))]), Outcome::Partly(Cause::Emergency));
    let starved = End { starved: 1, ..end(EXPECTED, None) };
    assert_eq!(outcome(&[starved]), Outcome::Partly(Cause::Starved));
    let joined = Take {
        skip: SignedDuration::from_secs(5),
        expected: EXPECTED / 2,
        ..take(0, Some(end(EXPECTED / 2, None)))
    };
    let with_a_hole = End { starved: 9, ..end(EXPECTED / 2, Some(Cause::PlannedCut)) };
    assert_eq!(outcome(&[with_a_hole]), Outcome::Partly(Cause::Starved), "no plan has holes");
    let cut = End { cause: Some(Cause::PlannedCut), ..end(EXPECTED / 2, None) };
    let cut = airing(vec![Take { end: Some(cut), ..joined.clone() }]);
    assert_eq!(cut.outcome(), Outcome::Partly(Cause::JoinedLate), "what was planned is no cause");
    let joined = airing(vec![joined]);
    assert_eq!((joined.outcome(), joined.expected()), (Outcome::Partly(Cause::JoinedLate), EXPECTED));
    let mut held_up = joined;
    held_up.takes[0].held_by = Some(Cause::Emergency);
    assert_eq!(held_up.outcome(), Outcome::Partly(Cause::Emergency));
    assert!(held_up.is_settled(AT), "it has its end");
    let late = End { held_by: Some(Cause::Starved), ..end(EXPECTED, None) };
    let late = airing(vec![take(0, Some(late))]);
    let said = (late.outcome(), late.held_up_by());
    assert_eq!(said, (Outcome::Aired, Some(Cause::Starved)), "it turned out when it was opened already");
}

#[test]
fn a_piece_whose_end_the_plan_leaves_out_aired_in_part() {
    let mut airing = airing(vec![take(0, Some(end(EXPECTED, Some(Cause::PlannedCut))))]);
    assert_eq!(airing.outcome(), Outcome::Aired, "the last piece of a fill");
    airing.item.lost = SignedDuration::from_secs(47);
    assert_eq!(airing.outcome(), Outcome::Partly(Cause::PlannedCut));
    assert!(airing.is_settled(AT));
}

#[test]
fn what_goes_on_after_a_cut_has_no_end_yet() {
    let cut = End { ended: Some(AT), ..end(9, Some(Cause::Emergency)) };
    let mut airing = airing(vec![take(0, Some(cut)), take(5, None)]);
    assert_eq!((airing.outcome(), airing.ended()), (Outcome::OnAir, None));
    airing.takes.pop();
    assert_eq!(airing.ended(), Some(AT));
}

#[test]
fn one_that_aired_whole_began_with_the_whole_take_and_tells_of_those_cut_before() {
    let at = |second| AT + SignedDuration::from_secs(second);
    let from = |second, end: End| End { started: Some(at(second)), ended: Some(at(second + 10)), ..end };
    let cut = from(0, end(EXPECTED / 2, Some(Cause::PowerCut)));
    let mute = End { started: None, ended: None, ..end(0, Some(Cause::PowerCut)) };
    let stopped = from(9, end(0, Some(Cause::ProgramStopped)));
    let mut takes = vec![
        take(0, Some(cut)),
        take(7, Some(mute)),
        take(9, Some(stopped)),
        take(20, Some(from(20, end(EXPECTED, None)))),
    ];
    let whole = airing(takes.clone());
    assert_eq!(
        (whole.outcome(), whole.started(), whole.ended()),
        (Outcome::Aired, Some(at(20)), Some(at(30)))
    );
    let cuts: Vec<_> = whole.broken_takes().map(|take| (take.number, take.heard, take.cause)).collect();
    let before = [(1, true, Cause::PowerCut), (2, false, Cause::PowerCut), (3, false, Cause::ProgramStopped)];
    assert_eq!(cuts, before);
    takes.pop();
    let partly = airing(takes);
    assert_eq!((partly.started(), partly.broken_takes().count()), (Some(at(0)), 3));
}

#[test]
fn several_takes_are_partly_aired_for_the_first_cause_unless_one_was_whole() {
    let (cut, rest) = (end(100_000, Some(Cause::Emergency)), end(300_000, Some(Cause::PowerCut)));
    assert_eq!(outcome(&[cut.clone(), rest]), Outcome::Partly(Cause::Emergency));
    assert_eq!(outcome(&[cut, end(EXPECTED, None)]), Outcome::Aired);
}

#[test]
fn a_take_that_was_taken_back_never_was_and_the_next_may_have_another_segment() {
    let opened = |number, title: &str| {
        let item = Item { title: title.to_owned(), ..item() };
        Entry::Opened { item, take: take(number, None) }
    };
    let Item { cue, output, .. } = item();
    let back = |number| Entry::TakenBack { cue: cue.clone(), output: output.clone(), take: number, at: AT };
    let after = |entries: &[Entry]| entries.iter().fold(None, Airing::after);
    assert_eq!(after(&[opened(0, "a"), back(0)]), None);
    let next = after(&[opened(0, "a"), back(0), opened(1, "b")]).unwrap();
    assert_eq!((next.item.title.as_str(), next.takes.len()), ("b", 1));
    // What was heard before stays, and is as open as it was.
    let cut = end(9, Some(Cause::Emergency));
    let cut = Entry::Closed { cue: cue.clone(), output: output.clone(), take: 0, end: cut };
    let before = after(&[opened(0, "a"), cut.clone()]);
    assert_eq!(after(&[opened(0, "a"), cut, opened(1, "b"), back(1)]), before);
    assert!(!before.unwrap().is_settled(AT));
}

#[test]
fn a_take_without_a_frame_did_not_air() {
    assert_eq!(outcome(&[end(0, Some(Cause::FileBroken))]), Outcome::NotAired(Cause::FileBroken));
    assert_eq!(outcome(&[end(0, None)]), Outcome::NotAired(Cause::OutputDown));
}

#[test]
fn withdrawn_on_air_is_an_outcome_of_its_own() {
    assert_eq!(outcome(&[end(9_999, Some(Cause::Withdrawn))]), Outcome::Withdrawn);
    assert_eq!(outcome(&[end(0, Some(Cause::Withdrawn))]), Outcome::NotAired(Cause::Withdrawn));
}

#[test]
fn a_cut_that_passes_settles_what_may_not_start_late_and_keeps_open_what_may_air_whole() {
    let mut cut = airing(vec![take(0, Some(end(9, Some(Cause::PowerCut))))]);
    let after = |seconds| AT + SignedDuration::from_secs(seconds);
    cut.item.late = Some(Late::Skip);
    assert!(cut.is_settled(after(5)));
    cut.item.late = Some(Late::WholeWithin(SignedDuration::from_secs(60)));
    assert_eq!((cut.is_settled(after(59)), cut.is_settled(after(60))), (false, true));
    cut.item.late = None;
    assert_eq!((cut.is_settled(after(9)), cut.is_settled(after(10))), (false, true), "an old entry");
}

#[test]
fn what_was_cut_from_outside_may_go_on_while_there_is_time() {
    let (within, over) = (AT + SignedDuration::from_secs(5), AT + SignedDuration::from_secs(10));
    for (cause, settled) in
        [(Cause::PowerCut, false), (Cause::Emergency, false), (Cause::StoppedByOperator, true)]
    {
        let cut = airing(vec![take(0, Some(end(9, Some(cause))))]);
        assert_eq!((cut.is_settled(within), cut.is_settled(over)), (settled, true), "{cause:?}");
    }
    assert!(!airing(vec![take(0, None)]).is_settled(over), "on air");
    let unheard = Some(Unheard { cause: Cause::TooLate, clock: ClockHealth::Wrong, at: AT });
    let said = Airing { unheard, ..airing(vec![take(0, Some(end(0, Some(Cause::PowerCut))))]) };
    assert!(said.is_settled(within), "it was said not to air");
    assert!(airing(vec![take(0, Some(end(EXPECTED, None)))]).is_settled(within));
}

#[test]
fn what_sounded_outweighs_a_word_that_it_did_not() {
    let unheard = Unheard { cause: Cause::TooLate, clock: ClockHealth::Wrong, at: AT };
    let nothing = Airing { unheard: Some(unheard), ..airing(Vec::new()) };
    assert_eq!((nothing.outcome(), nothing.clock()), (Outcome::NotAired(Cause::TooLate), ClockHealth::Wrong));
    let heard = Airing { takes: vec![take(0, Some(end(EXPECTED, None)))], ..nothing };
    assert_eq!(heard.outcome(), Outcome::Aired);
}

#[test]
fn what_a_clock_that_was_ahead_settled_is_open_again_until_it_comes_to_it() {
    let after = |seconds| AT + SignedDuration::from_secs(seconds);
    let reopened = |airing: Airing, now| {
        let Item { cue, output, .. } = airing.item.clone();
        assert!(airing.is_refuted(now));
        Airing::after(Some(airing), &Entry::Reopened { cue, output, at: now })
    };
    let unheard = Some(Unheard { cause: Cause::NotRunning, clock: ClockHealth::Unconfirmed, at: after(99) });
    let given_up = Airing { unheard, ..airing(Vec::new()) };
    assert_eq!(reopened(given_up.clone(), after(9)), None, "nothing is known of it");
    assert!(!given_up.is_refuted(after(10)), "its time is over, by the right clock too");
    assert!(!given_up.is_refuted(after(99)), "it was said when it could be");
    let cut = Airing { takes: vec![take(0, Some(end(9, Some(Cause::PowerCut))))], ..given_up.clone() };
    assert!(!reopened(cut, after(9)).unwrap().is_settled(after(9)), "it may go on");

    let mut order = given_up;
    order.item.layer = Layer::Live;
    assert!(!order.is_refuted(after(9)), "nobody orders it anew");
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let cause = prop_oneof![Just(None), Just(Some(Cause::PowerCut)), Just(Some(Cause::Withdrawn))];
    (0..3_u16, 0..=EXPECTED, cause, 0..5_u8).prop_map(|(number, delivered, cause, kind)| {
        let Item { cue, output, .. } = item();
        match kind {
            0 => Entry::Opened { item: item(), take: take(number, None) },
            1 => Entry::Closed { cue, output, take: number, end: end(delivered, cause) },
            2 => Entry::TakenBack { cue, output, take: number, at: AT },
            3 => Entry::Reopened { cue, output, at: AT },
            _ => Entry::NotAired {
                item: item(),
                unheard: Unheard { cause: Cause::TooLate, clock: ClockHealth::Synchronised, at: AT },
            },
        }
    })
}

proptest! {
    #[test]
    fn facts_told_twice_change_nothing_and_there_is_always_one_outcome(
        entries in prop::collection::vec(any_entry(), 1..12),
    ) {
        let once = entries.iter().fold(None, Airing::after);
        let twice = entries.iter().fold(None, |airing, entry| Airing::after(Airing::after(airing, entry), entry));
        prop_assert_eq!(&once, &twice);
        if let Some(airing) = once {
            let open = airing.takes.iter().any(|take| take.end.is_none());
            prop_assert_eq!(airing.outcome() == Outcome::OnAir, open);
            let silent = airing.delivered() == 0 && !open;
            prop_assert_eq!(matches!(airing.outcome(), Outcome::NotAired(_)), silent);
            let text = serde_json::to_string(&airing).unwrap();
            prop_assert_eq!(serde_json::from_str::<Airing>(&text).unwrap(), airing);
        }
    }
}
