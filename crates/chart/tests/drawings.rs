//! What stands in a drawing, and what cannot get into it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use crm_chart::{HeatCell, HeatTable, LineChart, STYLE, Series, Stretch, Tone};

fn lines() -> LineChart {
    LineChart::new("rate", "Calls a second").description("Falls at 2 s.").x_unit("s").series(Series::new(
        "replica 0",
        Tone::Series(0),
        vec![(0.0, 100.0), (1.0, 100.0), (2.0, f64::NAN), (3.0, 20.0), (4.0, 30.0)],
    ))
}

#[test]
fn a_drawing_tells_its_title_and_description() {
    let svg = lines().render();
    for part in
        [r#"role="img""#, r#"aria-labelledby="rate-title rate-desc""#, "Calls a second</title>", "Falls at 2 s.</desc>"]
    {
        assert!(svg.contains(part), "{part} is not in {svg}");
    }
}

#[test]
fn a_point_that_is_no_number_breaks_the_line() {
    let svg = lines().render();
    let path = svg.split(r#" d=""#).nth(1).unwrap().split('"').next().unwrap();
    assert_eq!((path.matches('M').count(), path.matches('L').count()), (2, 2), "{path}");
}

#[test]
fn names_cannot_bring_markup_or_styles_with_them() {
    let evil = r#"</text><script>alert("x")</script>"#;
    let chart = LineChart::new(evil, evil).description(evil).x_unit(evil).limit(1.0, evil);
    let chart = chart.series(Series::new(evil, Tone::Bad, vec![(0.0, 1.0)])).stretch(Stretch::new(0.0, 1.0, evil));
    let cell = HeatCell::new(evil).heat(99).note(evil);
    let table = HeatTable::new(evil, evil, vec![evil.to_owned()]).description(evil).row(evil, vec![cell]);
    for drawing in [chart.render(), table.render()] {
        assert!(!drawing.contains("<script") && !drawing.contains(" style="), "{drawing}");
    }
}

#[test]
fn hostile_figures_never_reach_the_paper() {
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1.0, 0.0, 1e300] {
        let series = Series::new("s", Tone::Quiet, vec![(0.0, value), (value, 1.0), (1.0, 2.0)]);
        let line = LineChart::new("l", "l").series(series.clone()).render();
        let log = LineChart::new("g", "g").log_from(0.1).series(series).render();
        for drawing in [line, log] {
            assert!(!drawing.contains("NaN") && !drawing.contains("inf"), "{value}: {drawing}");
        }
    }
    assert!(LineChart::new("e", "nothing yet").render().ends_with("</svg>"));
}

#[test]
fn every_class_that_is_drawn_has_a_style() {
    let chart = lines().limit(1.0, "limit").stretch(Stretch::new(1.0, 2.0, "killed")).render();
    let table = HeatTable::new("t", "c", vec!["x".to_owned()]).row("r", vec![HeatCell::new("1").heat(5)]).render();
    let drawn = [chart, table].concat();
    let classes = drawn.split(r#"class=""#).skip(1).filter_map(|rest| rest.split('"').next());
    for class in classes.flat_map(str::split_whitespace) {
        assert!(STYLE.contains(&format!(".{class}")), "{class} has no style");
    }
}

#[test]
fn names_of_stretches_stay_on_the_paper_and_off_each_other() {
    let chart = |stretches: [(f64, f64); 2]| {
        let chart = lines().x_range(0.0, 100.0);
        stretches
            .iter()
            .fold(chart, |chart, (from, to)| chart.stretch(Stretch::new(*from, *to, "replica 1 ejected")))
            .render()
    };
    let named = |svg: &str| (svg.matches(r#"class="chart-while""#).count(), svg.matches("chart-roomy").count());
    assert_eq!(named(&chart([(5.0, 8.0), (98.0, 100.0)])), (1, 1), "far apart: both where there is room");
    assert_eq!(named(&chart([(5.0, 8.0), (9.0, 12.0)])), (1, 0), "close: the newer one");
    let both = chart([(5.0, 8.0), (98.0, 100.0)]);
    assert!(both.contains(r#"text-anchor="end" x="100.00%""#), "at the edge: on the other side: {both}");
    assert_eq!(both.matches("<title>replica 1 ejected</title>").count(), 2, "pointed at, each says its name");
}

#[test]
fn a_chart_says_nothing_of_the_width_of_its_page() {
    let svg = lines().height(200).render();
    let opening = svg.split('>').next().unwrap();
    assert!(
        opening.contains(r#"height="200""#) && !opening.contains("viewBox"),
        "its letters would be scaled: {opening}"
    );
    assert_eq!(svg.matches(" s</text>").count(), 1, "the unit stands once: {svg}");
}
