//! Names beside the ends of lines, moved apart where they would cover each other.

/// Between two names on one line.
const APART: f64 = 4.0;

/// Places for labels that want to be at `wanted`, at least `gap` apart and within `top..=bottom` as far as there is room.
/// Answers in the order asked.
pub(crate) fn spread(wanted: &[f64], gap: f64, (top, bottom): (f64, f64)) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut places = vec![top; wanted.len()];
    let mut free = top;
    for &at in &order {
        places[at] = wanted[at].max(free);
        free = places[at] + gap;
    }
    // Whoever was pushed below the paper pushes the others back up.
    let mut most = bottom;
    for &at in order.iter().rev() {
        places[at] = places[at].min(most);
        most = places[at] - gap;
    }
    places
}

/// A name along a line: where it begins or, if it is late, ends, as a part of the line's length; and how wide it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) at: f64,
    pub(crate) is_late: bool,
    pub(crate) wide: f64,
}

/// Which of these names, given from the oldest to the newest, can stand on a line of this length: a newer one goes before
/// the older ones that it would cover.
pub(crate) fn newest_apart(places: &[Place], length: f64) -> Vec<bool> {
    let mut free_until = f64::INFINITY;
    let mut shown: Vec<bool> = Vec::with_capacity(places.len());
    for place in places.iter().rev() {
        let begins = place.at * length - if place.is_late { place.wide } else { 0.0 };
        let fits = begins + place.wide <= free_until;
        if fits {
            free_until = begins - APART;
        }
        shown.push(fits);
    }
    shown.reverse();
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_cover_each_other() {
        assert_eq!(spread(&[50.0, 51.0, 10.0], 12.0, (0.0, 100.0)), [50.0, 62.0, 10.0]);
        assert_eq!(spread(&[99.0, 100.0], 12.0, (0.0, 100.0)), [88.0, 100.0]);
        assert!(spread(&[], 12.0, (0.0, 100.0)).is_empty());
    }

    #[test]
    fn the_newest_name_stands_and_others_as_far_as_there_is_room() {
        let place = |at, is_late| Place { at, is_late, wide: 90.0 };
        let places = [place(0.1, false), place(0.3, false), place(0.9, true)];
        assert_eq!(newest_apart(&places, 110.0), [false, false, true]);
        assert_eq!(newest_apart(&places, 300.0), [true, false, true]);
        assert_eq!(newest_apart(&places, 600.0), [true, true, true]);
    }
}
