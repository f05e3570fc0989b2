use std::pin::Pin;

use futures_util::FutureExt;

use super::*;

const HASTY: Uuid = Uuid::from_u128(1);
const OTHER: Uuid = Uuid::from_u128(2);
const THIRD: Uuid = Uuid::from_u128(3);

/// A call that waits, or has its place.
type Call<'a> = Pin<Box<dyn Future<Output = Result<Place, Error>> + 'a>>;

fn call(places: &Places, tenant: Uuid) -> Call<'_> {
    Box::pin(places.take(tenant))
}

fn place(call: &mut Call<'_>) -> Option<Place> {
    call.now_or_never().map(|place| place.unwrap())
}

fn now(places: &Places, tenant: Uuid) -> Option<Place> {
    place(&mut call(places, tenant))
}

fn all(places: &Places, tenant: Uuid) -> Vec<Place> {
    std::iter::from_fn(|| now(places, tenant)).collect()
}

#[test]
fn one_tenant_has_half_and_others_find_theirs() {
    for (total, half) in [(1, 1), (2, 1), (3, 2), (4, 2), (10, 5)] {
        let places = Places::new(total);
        assert_eq!(all(&places, HASTY).len(), half, "of {total}");
    }
    let places = Places::new(10);
    let mut held = all(&places, HASTY);
    assert_eq!(places.blame(HASTY), Refused::Share);
    let others = (all(&places, OTHER), all(&places, THIRD));
    assert_eq!((others.0.len(), others.1.len()), (3, 1));
    assert_eq!(places.blame(OTHER), Refused::Share);
    held.pop();
    assert!(now(&places, HASTY).is_none(), "half is for who is alone");
    drop(others);
    assert!(now(&places, HASTY).is_some());
}

#[test]
fn what_comes_free_goes_to_who_holds_least_and_there_in_order() {
    let places = Places::new(4);
    let mut held = all(&places, HASTY);
    held.push(now(&places, OTHER).unwrap());
    held.push(now(&places, THIRD).unwrap());
    let mut hasty: Vec<_> = (0..50).map(|_| call(&places, HASTY)).collect();
    assert!(hasty.iter_mut().all(|call| place(call).is_none()));
    let mut late = call(&places, Uuid::from_u128(4));
    assert!(place(&mut late).is_none());
    held.remove(0);
    let late = place(&mut late).expect("before fifty that came earlier");
    assert!(hasty.iter_mut().all(|call| place(call).is_none()));
    drop((late, held));
    let served: Vec<_> = hasty.iter_mut().map(place).collect();
    assert_eq!(served.iter().filter(|place| place.is_some()).count(), 2);
    assert!(served[0].is_some() && served[1].is_some());
    drop(served);
    assert!(place(&mut hasty[2]).is_some(), "the rest in order");
}

#[test]
fn equals_are_served_by_the_time_that_they_have_waited() {
    let places = Places::new(1);
    let held = now(&places, HASTY);
    let mut calls: Vec<_> = [THIRD, OTHER, HASTY].map(|tenant| call(&places, tenant)).into_iter().collect();
    assert!(calls.iter_mut().all(|call| place(call).is_none()));
    drop(held);
    for call in &mut calls {
        assert!(place(call).is_some());
    }
}

#[test]
fn calls_that_give_up_leave_nothing_behind() {
    let places = Places::new(2);
    let held = now(&places, HASTY);
    let mut calls: Vec<_> = (0..3).map(|_| call(&places, HASTY)).collect();
    assert!(calls.iter_mut().all(|call| place(call).is_none()));
    drop(calls.remove(0));
    drop(held);
    // Its turn has come, and it has not looked yet.
    drop(calls.remove(0));
    let last = place(&mut calls[0]).expect("what the others left");
    drop((last, calls));
    assert!(places.queue().waiting.is_empty());
    assert_eq!(places.0.shares.taken(), 0);
}

#[test]
fn a_closed_pool_says_so_to_all_who_wait_and_come() {
    let places = Places::new(1);
    let _held = now(&places, HASTY);
    let mut waiting = call(&places, OTHER);
    assert!(place(&mut waiting).is_none());
    places.close();
    assert!(matches!(waiting.now_or_never(), Some(Err(Error::Unavailable(_)))));
    assert!(matches!(call(&places, OTHER).now_or_never(), Some(Err(Error::Unavailable(_)))));
}
