//! Lines over time.

use std::fmt::Write;

use crate::{Tone, escape, labels, scale::Scale, scale::round_up, short};

const LEFT: f64 = 52.0;
/// Room for names beside the lines' ends, unless another is asked for.
const NAMES_WIDTH: f64 = 150.0;
/// About as wide as a letter is.
const LETTER: f64 = 6.5;
const TOP: f64 = 30.0;
const BOTTOM: f64 = 24.0;

/// One line: its name, its colour, and its points in the order of x. A point whose y is no number breaks the line.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    name: String,
    tone: Tone,
    points: Vec<(f64, f64)>,
}

impl Series {
    /// A line.
    #[must_use]
    pub fn new(name: impl Into<String>, tone: Tone, points: Vec<(f64, f64)>) -> Self {
        Self { name: name.into(), tone, points }
    }
}

/// A part of the x axis with a shade and a name: while something was so.
#[derive(Debug, Clone, PartialEq)]
pub struct Stretch {
    from: f64,
    to: f64,
    name: String,
}

impl Stretch {
    /// From one x to another.
    #[must_use]
    pub fn new(from: f64, to: f64, name: impl Into<String>) -> Self {
        Self { from, to, name: name.into() }
    }
}

/// A chart of lines, by default from zero upwards and as wide as its place on the page.
#[derive(Debug, Clone, PartialEq)]
pub struct LineChart {
    id: String,
    title: String,
    description: String,
    x_unit: String,
    x_range: Option<(f64, f64)>,
    y_high: Option<f64>,
    y_top: Option<f64>,
    log_from: Option<f64>,
    limit: Option<(f64, String)>,
    stretches: Vec<Stretch>,
    series: Vec<Series>,
    size: (u32, u32),
    names_width: f64,
}

impl LineChart {
    /// A chart without lines yet. The id must be the only one of its name on the page.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            title: title.into(),
            description: String::new(),
            x_unit: String::new(),
            x_range: None,
            y_high: None,
            y_top: None,
            log_from: None,
            limit: None,
            stretches: Vec::new(),
            series: Vec::new(),
            size: (720, 240),
            names_width: NAMES_WIDTH,
        }
    }

    /// What the chart shows, in a sentence, for those who cannot see it.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// One more line.
    #[must_use]
    pub fn series(mut self, series: Series) -> Self {
        self.series.push(series);
        self
    }

    /// One more shaded part.
    #[must_use]
    pub fn stretch(mut self, stretch: Stretch) -> Self {
        self.stretches.push(stretch);
        self
    }

    /// A dashed line to stay below, and its name.
    #[must_use]
    pub fn limit(mut self, y: f64, name: impl Into<String>) -> Self {
        self.limit = Some((y, name.into()));
        self
    }

    /// What follows the numbers below the x axis, such as `s`.
    #[must_use]
    pub fn x_unit(mut self, unit: impl Into<String>) -> Self {
        self.x_unit = unit.into();
        self
    }

    /// The x axis from here to there, whatever points there are; for a window that moves on.
    #[must_use]
    pub fn x_range(mut self, from: f64, to: f64) -> Self {
        self.x_range = Some((from, to));
        self
    }

    /// The y axis reaches at least this high, so that a quiet chart does not magnify its noise.
    #[must_use]
    pub fn y_at_least(mut self, high: f64) -> Self {
        self.y_high = Some(high);
        self
    }

    /// The y axis ends exactly here: for parts of a whole.
    #[must_use]
    pub fn y_to(mut self, top: f64) -> Self {
        self.y_top = Some(top);
        self
    }

    /// A logarithmic y axis that begins here.
    #[must_use]
    pub fn log_from(mut self, low: f64) -> Self {
        self.log_from = Some(low);
        self
    }

    /// Width and height of the drawing; on the page it takes the width there is. Default 720 × 240.
    #[must_use]
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width, height);
        self
    }

    /// Room for the names beside the lines' ends. Default 150.
    #[must_use]
    pub fn names_width(mut self, width: f64) -> Self {
        self.names_width = width;
        self
    }

    /// The chart as an `svg` element.
    #[must_use]
    pub fn render(&self) -> String {
        let (width, height) = (f64::from(self.size.0), f64::from(self.size.1));
        let (x, y) = (self.x_scale(width), self.y_scale(height));
        let mut svg = open(&self.id, &self.title, &self.description, self.size);
        let _ = write!(svg, r#"<text class="chart-title" x="0" y="15">{}</text>"#, escape(&self.title));
        self.draw_stretches(&mut svg, &x, height);
        self.draw_grid(&mut svg, &x, &y, (width, height));
        for series in &self.series {
            let (class, path) = (series.tone.class(), path(&series.points, &x, &y));
            let _ = write!(svg, r#"<path class="chart-line {class}" d="{path}"/>"#);
        }
        self.draw_limit(&mut svg, &y, width);
        self.draw_names(&mut svg, &y, (width, height));
        svg.push_str("</svg>");
        svg
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.series.iter().flat_map(|series| series.points.iter().copied())
    }

    fn x_scale(&self, width: f64) -> Scale {
        let xs = || self.points().map(|(x, _)| x).filter(|x| x.is_finite());
        let found = (xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max));
        let range = self.x_range.unwrap_or(if found.0 <= found.1 { found } else { (0.0, 1.0) });
        Scale::linear(range, (LEFT, width - self.names_width))
    }

    fn y_scale(&self, height: f64) -> Scale {
        let least = self.y_high.unwrap_or(0.0).max(self.limit.as_ref().map_or(0.0, |(y, _)| y * 1.1));
        let high = self.points().map(|(_, y)| y).filter(|y| y.is_finite()).fold(least, f64::max);
        let paper = (height - BOTTOM, TOP);
        match self.log_from {
            Some(low) => Scale::logarithmic((low, high.max(low * 10.0) * 1.1), paper),
            None => Scale::linear((0.0, self.y_top.unwrap_or_else(|| round_up(high / 4.0) * 4.0)), paper),
        }
    }

    fn draw_stretches(&self, svg: &mut String, x: &Scale, height: f64) {
        // Where the name before ends: the next one goes below it rather than over it.
        let mut taken = f64::NEG_INFINITY;
        for Stretch { from, to, name } in &self.stretches {
            let (left, right) = (x.at(*from), x.at(*to));
            let (wide, high) = (right - left, height - BOTTOM - TOP);
            // One that begins near the paper's edge has its name on the other side, where there is room.
            let wide_name = width_of(name);
            let is_late = left + 4.0 + wide_name > x.end();
            let (at, anchor) = if is_late { (left - 4.0, "end") } else { (left + 4.0, "start") };
            let begins = if is_late { at - wide_name } else { at };
            let line = if begins < taken { TOP + 25.0 } else { TOP + 12.0 };
            taken = begins + wide_name;
            let _ = write!(
                svg,
                r#"<rect class="chart-stretch" x="{left:.1}" y="{TOP}" width="{wide:.1}" height="{high:.1}"/><text text-anchor="{anchor}" x="{at:.1}" y="{line:.1}">{}</text>"#,
                escape(name)
            );
        }
    }

    fn draw_grid(&self, svg: &mut String, x: &Scale, y: &Scale, (width, height): (f64, f64)) {
        let right = width - self.names_width;
        for tick in y.ticks(4) {
            let at = y.at(tick);
            let _ = write!(
                svg,
                r#"<line class="chart-grid" x1="{LEFT}" x2="{right:.1}" y1="{at:.1}" y2="{at:.1}"/><text text-anchor="end" x="{:.1}" y="{:.1}">{}</text>"#,
                LEFT - 6.0,
                at + 4.0,
                short(tick)
            );
        }
        for tick in x.ticks(6) {
            let (at, below, unit) = (x.at(tick), height - 6.0, escape(&self.x_unit));
            let space = if unit.is_empty() { "" } else { " " };
            let _ = write!(
                svg,
                r#"<text text-anchor="middle" x="{at:.1}" y="{below:.1}">{}{space}{unit}</text>"#,
                short(tick)
            );
        }
    }

    fn draw_limit(&self, svg: &mut String, y: &Scale, width: f64) {
        let Some((limit, name)) = &self.limit else { return };
        let (at, right) = (y.at(*limit), width - self.names_width);
        let _ = write!(
            svg,
            r#"<line class="chart-limit" x1="{LEFT}" x2="{right:.1}" y1="{at:.1}" y2="{at:.1}"/><text text-anchor="end" x="{:.1}" y="{:.1}">{}</text>"#,
            right - 4.0,
            at - 4.0,
            escape(name)
        );
    }

    /// Each line's name beside its end, with a mark of its colour.
    fn draw_names(&self, svg: &mut String, y: &Scale, (width, height): (f64, f64)) {
        const APART: f64 = 15.0;
        let ends: Vec<f64> = self.series.iter().map(|series| end(series).map_or(height, |value| y.at(value))).collect();
        let places = labels::spread(&ends, APART, (TOP + 4.0, height - BOTTOM));
        for ((series, place), end) in self.series.iter().zip(places).zip(ends) {
            let (right, class) = (width - self.names_width, series.tone.class());
            let _ = write!(
                svg,
                r#"<line class="chart-leader" x1="{:.1}" x2="{:.1}" y1="{end:.1}" y2="{place:.1}"/><rect class="chart-fill {class}" x="{:.1}" y="{:.1}" width="9" height="9" rx="2"/><text class="chart-name" x="{:.1}" y="{:.1}">{}</text>"#,
                right + 2.0,
                right + 12.0,
                right + 14.0,
                place - 4.5,
                right + 27.0,
                place + 4.0,
                escape(&series.name)
            );
        }
    }
}

/// Roughly: only a browser knows its letters.
fn width_of(text: &str) -> f64 {
    LETTER * f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX))
}

/// The last number of a line.
fn end(series: &Series) -> Option<f64> {
    series.points.iter().rev().map(|(_, y)| *y).find(|y| y.is_finite())
}

/// The opening of a drawing: its size, and what a screen reader says of it.
pub(crate) fn open(id: &str, title: &str, description: &str, (width, height): (u32, u32)) -> String {
    let (id, title, description) = (escape(id), escape(title), escape(description));
    format!(
        r#"<svg class="chart" id="{id}" role="img" aria-labelledby="{id}-title {id}-desc" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg"><title id="{id}-title">{title}</title><desc id="{id}-desc">{description}</desc>"#
    )
}

fn path(points: &[(f64, f64)], x: &Scale, y: &Scale) -> String {
    let (mut path, mut pen_down) = (String::new(), false);
    for (at_x, at_y) in points {
        if !(at_x.is_finite() && at_y.is_finite()) {
            pen_down = false;
            continue;
        }
        let command = if pen_down { 'L' } else { 'M' };
        let _ = write!(path, "{command}{:.1} {:.1}", x.at(*at_x), y.at(*at_y));
        pen_down = true;
    }
    path
}
