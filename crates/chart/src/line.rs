//! Lines over time.

use std::fmt::Write;

use crate::{
    Tone, escape,
    labels::{self, Place},
    scale::{Scale, round_up},
    short,
};

/// Room for the numbers beside the y axis: the style sheet's padding to the left.
const LEFT: f64 = 44.0;
/// About as wide as a letter is.
const LETTER: f64 = 6.5;
/// Room for the title, and below it for the names of stretches.
const TOP: f64 = 44.0;
const BOTTOM: f64 = 24.0;
/// The paper is this wide in units of its own, whatever its width on the page.
const WIDE: f64 = 1000.0;
/// Widths of the paper on the page: on a small telephone, and where the style sheet takes it for roomy.
const NARROW: f64 = 110.0;
const ROOMY: f64 = 300.0;

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
    height: u32,
    is_slim: bool,
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
            height: 240,
            is_slim: false,
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

    /// Height of the drawing in pixels; it takes the width there is. Default 240.
    #[must_use]
    pub fn height(mut self, pixels: u32) -> Self {
        self.height = pixels;
        self
    }

    /// Less room for the names beside the lines' ends: ten letters.
    #[must_use]
    pub fn slim(mut self) -> Self {
        self.is_slim = true;
        self
    }

    /// The chart as an `svg` element.
    ///
    /// Letters have the same size at any width of the page: across, everything stands at a part of the width, and only
    /// the lines are stretched. The element's content box is the paper; what stands beside it is drawn into the padding
    /// that the style sheet leaves.
    #[must_use]
    pub fn render(&self) -> String {
        let (x, y) = (self.x_scale(), self.y_scale());
        let mut svg = self.open();
        let _ = write!(svg, r#"<text class="chart-title" x="-{LEFT}" y="15">{}</text>"#, escape(&self.title));
        self.draw_grid(&mut svg, &x, &y);
        self.draw_lines(&mut svg, &x, &y);
        self.draw_names_of_stretches(&mut svg, &x);
        self.draw_limit(&mut svg, &y);
        self.draw_names(&mut svg, &y);
        svg.push_str("</svg>");
        svg
    }

    /// The opening of the drawing: its height, and what a screen reader says of it.
    fn open(&self) -> String {
        let (id, title, description) = (escape(&self.id), escape(&self.title), escape(&self.description));
        let (class, height) = (if self.is_slim { "chart chart-slim" } else { "chart" }, self.height);
        format!(
            r#"<svg class="{class}" id="{id}" role="img" aria-labelledby="{id}-title {id}-desc" height="{height}" xmlns="http://www.w3.org/2000/svg"><title id="{id}-title">{title}</title><desc id="{id}-desc">{description}</desc>"#
        )
    }

    /// Where the paper ends below.
    fn bottom(&self) -> f64 {
        f64::from(self.height) - BOTTOM
    }

    fn points(&self) -> impl Iterator<Item = (f64, f64)> {
        self.series.iter().flat_map(|series| series.points.iter().copied())
    }

    fn x_scale(&self) -> Scale {
        let xs = || self.points().map(|(x, _)| x).filter(|x| x.is_finite());
        let found = (xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max));
        let range = self.x_range.unwrap_or(if found.0 <= found.1 { found } else { (0.0, 1.0) });
        Scale::linear(range, (0.0, WIDE))
    }

    fn y_scale(&self) -> Scale {
        let least = self.y_high.unwrap_or(0.0).max(self.limit.as_ref().map_or(0.0, |(y, _)| y * 1.1));
        let high = self.points().map(|(_, y)| y).filter(|y| y.is_finite()).fold(least, f64::max);
        let paper = (self.bottom(), TOP);
        match self.log_from {
            Some(low) => Scale::logarithmic((low, high.max(low * 10.0) * 1.1), paper),
            None => Scale::linear((0.0, self.y_top.unwrap_or_else(|| round_up(high / 4.0) * 4.0)), paper),
        }
    }

    fn draw_grid(&self, svg: &mut String, x: &Scale, y: &Scale) {
        for tick in y.ticks(4) {
            let at = y.at(tick);
            let _ = write!(
                svg,
                r#"<line class="chart-grid" x1="0" x2="100%" y1="{at:.1}" y2="{at:.1}"/><text text-anchor="end" x="-6" y="{:.1}">{}</text>"#,
                at + 4.0,
                short(tick)
            );
        }
        let (ticks, below) = (x.ticks(6), self.bottom() + 18.0);
        for (n, tick) in ticks.iter().enumerate() {
            let at = percent(x.at(*tick));
            // The unit once: beside each number it would cover the next one where there is little room.
            let unit = if n + 1 == ticks.len() && !self.x_unit.is_empty() {
                format!(" {}", self.x_unit)
            } else {
                String::new()
            };
            let _ = write!(
                svg,
                r#"<text class="chart-tick" text-anchor="middle" x="{at}" y="{below:.1}">{}{}</text>"#,
                short(*tick),
                escape(&unit)
            );
        }
    }

    /// Lines and shades, on a paper of their own that is stretched.
    fn draw_lines(&self, svg: &mut String, x: &Scale, y: &Scale) {
        let high = self.bottom() - TOP;
        let _ = write!(
            svg,
            r#"<svg y="{TOP}" width="100%" height="{high}" viewBox="0 {TOP} {WIDE} {high}" preserveAspectRatio="none">"#
        );
        for Stretch { from, to, name } in &self.stretches {
            let (left, right, name) = (x.at(*from), x.at(*to), escape(name));
            let wide = right - left;
            let _ = write!(
                svg,
                r#"<rect class="chart-stretch" x="{left:.1}" y="{TOP}" width="{wide:.1}" height="{high:.1}"><title>{name}</title></rect>"#
            );
        }
        for series in &self.series {
            let (class, path) = (series.tone.class(), path(&series.points, x, y));
            let _ = write!(svg, r#"<path class="chart-line {class}" d="{path}"/>"#);
        }
        svg.push_str("</svg>");
    }

    /// Above the paper, each as far as the newer ones leave room for it.
    fn draw_names_of_stretches(&self, svg: &mut String, x: &Scale) {
        let places: Vec<Place> = self.stretches.iter().map(|stretch| Place::of(stretch, x)).collect();
        let (narrow, roomy) = (labels::newest_apart(&places, NARROW), labels::newest_apart(&places, ROOMY));
        let named = self.stretches.iter().zip(&places).zip(narrow.into_iter().zip(roomy));
        for ((stretch, place), fits) in named {
            let class = match fits {
                (true, _) => "chart-while",
                (false, true) => "chart-while chart-roomy",
                (false, false) => continue,
            };
            let (at, anchor) = (percent(place.at * WIDE), if place.is_late { "end" } else { "start" });
            let (line, name) = (TOP - 9.0, escape(&stretch.name));
            let _ = write!(svg, r#"<text class="{class}" text-anchor="{anchor}" x="{at}" y="{line:.1}">{name}</text>"#);
        }
    }

    fn draw_limit(&self, svg: &mut String, y: &Scale) {
        let Some((limit, name)) = &self.limit else { return };
        let at = y.at(*limit);
        let _ = write!(
            svg,
            r#"<line class="chart-limit" x1="0" x2="100%" y1="{at:.1}" y2="{at:.1}"/><text text-anchor="end" x="100%" dx="-4" y="{:.1}">{}</text>"#,
            at - 4.0,
            escape(name)
        );
    }

    /// Each line's name beside its end, with a mark of its colour.
    fn draw_names(&self, svg: &mut String, y: &Scale) {
        const APART: f64 = 15.0;
        let bottom = self.bottom();
        let ends: Vec<f64> = self.series.iter().map(|series| end(series).map_or(bottom, |value| y.at(value))).collect();
        let places = labels::spread(&ends, APART, (TOP + 4.0, bottom));
        svg.push_str(r#"<svg x="100%" width="1" height="1">"#);
        for ((series, place), end) in self.series.iter().zip(places).zip(ends) {
            let class = series.tone.class();
            let _ = write!(
                svg,
                r#"<line class="chart-leader" x1="2" x2="12" y1="{end:.1}" y2="{place:.1}"/><rect class="chart-fill {class}" x="14" y="{:.1}" width="9" height="9" rx="2"/><text class="chart-name" x="27" y="{:.1}">{}</text>"#,
                place - 4.5,
                place + 4.0,
                escape(&series.name)
            );
        }
        svg.push_str("</svg>");
    }
}

impl Place {
    /// It begins where the stretch does; past the middle it ends where that ends, for there the room is.
    fn of(stretch: &Stretch, x: &Scale) -> Self {
        let (from, to) = (x.at(stretch.from) / WIDE, x.at(stretch.to) / WIDE);
        let is_late = from > 0.5;
        Self { at: if is_late { to } else { from }, is_late, wide: width_of(&stretch.name) }
    }
}

/// A place across the paper, as a part of its width.
fn percent(at: f64) -> String {
    format!("{:.2}%", at * 100.0 / WIDE)
}

/// Roughly: only a browser knows its letters.
fn width_of(text: &str) -> f64 {
    LETTER * f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX))
}

/// The last number of a line.
fn end(series: &Series) -> Option<f64> {
    series.points.iter().rev().map(|(_, y)| *y).find(|y| y.is_finite())
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
