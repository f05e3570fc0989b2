//! Names beside the ends of lines, moved apart where they would cover each other.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_do_not_cover_each_other() {
        assert_eq!(spread(&[50.0, 51.0, 10.0], 12.0, (0.0, 100.0)), [50.0, 62.0, 10.0]);
        assert_eq!(spread(&[99.0, 100.0], 12.0, (0.0, 100.0)), [88.0, 100.0]);
        assert!(spread(&[], 12.0, (0.0, 100.0)).is_empty());
    }
}
