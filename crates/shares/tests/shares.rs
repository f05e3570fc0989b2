//! Who gets how much.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crm_shares::{Refused, Share, Shares};

/// Takes one at a time until there is no more, and says why.
fn take_all(shares: &Shares, whose: Option<u128>) -> (Vec<Share>, Refused) {
    let mut taken = Vec::new();
    loop {
        match shares.take(whose, 1) {
            Ok(share) => taken.push(share),
            Err(refused) => return (taken, refused),
        }
    }
}

#[test]
fn greed_ends_where_as_much_is_left_as_it_holds() {
    for (total, first, second) in [(1, 1, 0), (2, 1, 1), (3, 2, 1), (4, 2, 1), (100, 50, 25), (2_048, 1_024, 512)] {
        let shares = Shares::new(total);
        let (held, _) = take_all(&shares, Some(1));
        let (others, _) = take_all(&shares, Some(2));
        assert_eq!((held.len(), others.len()), (first, second), "of {total}");
        assert_eq!(shares.taken(), first + second);
    }
}

#[test]
fn every_newcomer_finds_a_place_while_many_are_greedy() {
    let shares = Shares::new(1_000);
    let mut all = Vec::new();
    for _ in 0..100 {
        for holder in 0..30 {
            all.extend(shares.take(Some(holder), 1));
        }
    }
    assert!(shares.taken() < 1_000);
    let newcomer = take_all(&shares, Some(99)).0;
    assert!(newcomer.len() > 10, "{}", newcomer.len());
}

#[test]
fn a_refusal_says_whose_doing_it_is() {
    let shares = Shares::new(4);
    let (_held, refused) = take_all(&shares, Some(1));
    assert_eq!(refused, Refused::Share);
    let (_others, _) = take_all(&shares, None);
    assert_eq!(shares.take(Some(2), 1).unwrap_err(), Refused::Full);
    assert_eq!(shares.take(Some(1), 1).unwrap_err(), Refused::Full);
}

#[test]
fn nobody_in_particular_is_bound_by_the_total_alone() {
    let shares = Shares::at_most(5, 1);
    let (held, refused) = take_all(&shares, None);
    assert_eq!((held.len(), refused), (5, Refused::Full));
}

#[test]
fn a_most_for_each_holds_however_much_is_left() {
    let shares = Shares::at_most(3, 1);
    let (first, refused) = take_all(&shares, Some(1));
    assert_eq!((first.len(), refused), (1, Refused::Share));
    let _second = shares.take(Some(2), 1).unwrap();
    let _third = shares.take(Some(3), 1).unwrap();
    assert_eq!(shares.take(Some(4), 1).unwrap_err(), Refused::Full);
    drop(first);
    shares.take(Some(4), 1).unwrap();
}

#[test]
fn a_share_grows_shrinks_and_is_given_back() {
    let shares = Shares::new(100);
    let mut share = shares.take(Some(1), 30).unwrap();
    assert_eq!(share.grow(21), Err(Refused::Share));
    share.grow(20).unwrap();
    assert_eq!(shares.taken(), 50);
    assert_eq!(shares.take(Some(2), 51).unwrap_err(), Refused::Full);
    share.shrink(45);
    assert_eq!(shares.taken(), 5);
    share.shrink(1_000);
    assert_eq!(shares.taken(), 0);
    share.grow(50).unwrap();
    drop(share);
    assert_eq!(shares.taken(), 0);
    // Nothing is remembered of who held something.
    shares.take(Some(1), 50).unwrap();
}

#[test]
fn what_was_given_under_a_higher_total_shuts_nobody_out() {
    let shares = Shares::new(0);
    let held: Vec<_> = (0..64).map(|_| shares.take_of(128, Some(1)).unwrap()).collect();
    assert_eq!(shares.take_of(128, Some(1)).unwrap_err(), Refused::Share);
    // The total has fallen below what one holds: others still get an equal part of it, the one gets nothing.
    assert!(shares.take_of(32, Some(1)).is_err() && shares.take_of(32, None).is_err());
    let others: Vec<_> = std::iter::from_fn(|| shares.take_of(32, Some(2)).ok()).collect();
    assert_eq!(others.len(), 16);
    let more: Vec<_> = std::iter::from_fn(|| shares.take_of(32, Some(3)).ok()).collect();
    assert_eq!(more.len(), 10);
    drop(held);
    shares.take_of(32, Some(1)).unwrap();
}

#[test]
fn nor_does_what_is_left_of_it_when_the_total_is_no_longer_exceeded() {
    let shares = Shares::new(0);
    let mut held: Vec<_> = (0..64).map(|_| shares.take_of(128, Some(1)).unwrap()).collect();
    for left in [32, 31, 28, 17] {
        held.truncate(left);
        let others: Vec<_> = std::iter::from_fn(|| shares.take_of(32, Some(2)).ok()).collect();
        assert_eq!(others.len(), 16, "beside {left}");
        let more: Vec<_> = std::iter::from_fn(|| shares.take_of(32, Some(3)).ok()).collect();
        assert_eq!(more.len(), 10, "beside {left}");
        assert!(shares.take_of(32, Some(1)).is_err() && shares.take_of(32, None).is_err());
    }
    // What it may have anyway: the usual rule.
    held.truncate(16);
    let others: Vec<_> = std::iter::from_fn(|| shares.take_of(32, Some(2)).ok()).collect();
    assert_eq!(others.len(), 8);
}

#[test]
fn whoever_has_less_than_an_equal_part_of_what_is_all_taken_is_not_to_blame() {
    let shares = Shares::new(10);
    let take = |whose, count| -> Vec<_> { (0..count).map(|_| shares.take(Some(whose), 1).unwrap()).collect() };
    let held = [take(1, 5), take(2, 3), take(3, 1)];
    assert_eq!([1, 2, 3, 4].map(|whose| shares.held(Some(whose))), [5, 3, 1, 0]);
    assert_eq!(shares.blame(Some(2)), Refused::Share, "one is left, for others");
    let last = take(4, 1);
    let blamed = [1, 2, 3, 4, 5].map(|whose| shares.blame(Some(whose)));
    assert_eq!(blamed, [Refused::Share, Refused::Share, Refused::Full, Refused::Full, Refused::Full]);
    drop((held, last));
    let one = Shares::new(1);
    let _held = one.take(Some(1), 1).unwrap();
    assert_eq!([1, 2].map(|whose| one.blame(Some(whose))), [Refused::Share, Refused::Full]);
}
