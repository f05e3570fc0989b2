//! One figure across a few things.

use std::fmt::Write;

use crate::{Tone, escape, line::open, scale::Scale, scale::round_up, short};

const NAMES: f64 = 170.0;
const FIGURES: f64 = 90.0;
const ROW: u32 = 24;
const HEAD: u32 = 28;

/// One bar; its text is what stands beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Bar {
    name: String,
    value: f64,
    text: String,
    tone: Tone,
}

impl Bar {
    /// A bar whose text is its value.
    #[must_use]
    pub fn new(name: impl Into<String>, value: f64, tone: Tone) -> Self {
        Self { name: name.into(), value, text: short(value), tone }
    }

    /// Another text beside it, such as `3 of 8,000`.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = text.into();
        self
    }
}

/// Horizontal bars from zero (or, on a logarithmic scale, from where that begins).
#[derive(Debug, Clone, PartialEq)]
pub struct BarChart {
    id: String,
    title: String,
    description: String,
    log_from: Option<f64>,
    limit: Option<f64>,
    bars: Vec<Bar>,
    width: u32,
}

impl BarChart {
    /// A chart without bars yet. The id must be the only one of its name on the page.
    #[must_use]
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> Self {
        let (id, title) = (id.into(), title.into());
        Self { id, title, description: String::new(), log_from: None, limit: None, bars: Vec::new(), width: 720 }
    }

    /// What the chart shows, in a sentence, for those who cannot see it.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// One more bar.
    #[must_use]
    pub fn bar(mut self, bar: Bar) -> Self {
        self.bars.push(bar);
        self
    }

    /// A dashed line to stay below.
    #[must_use]
    pub fn limit(mut self, value: f64) -> Self {
        self.limit = Some(value);
        self
    }

    /// A logarithmic scale that begins here: for figures that are orders of magnitude apart.
    #[must_use]
    pub fn log_from(mut self, low: f64) -> Self {
        self.log_from = Some(low);
        self
    }

    /// Width of the drawing; on the page it takes the width there is. Default 720.
    #[must_use]
    pub fn width(mut self, width: u32) -> Self {
        self.width = width;
        self
    }

    /// The chart as an `svg` element.
    #[must_use]
    pub fn render(&self) -> String {
        let rows = u32::try_from(self.bars.len()).unwrap_or(u32::MAX / ROW / 2);
        let height = HEAD + rows * ROW + 6;
        let scale = self.scale();
        let mut svg = open(&self.id, &self.title, &self.description, (self.width, height));
        let _ = write!(svg, r#"<text class="chart-title" x="0" y="15">{}</text>"#, escape(&self.title));
        let mut top = f64::from(HEAD);
        for bar in &self.bars {
            draw(&mut svg, bar, &scale, top);
            top += f64::from(ROW);
        }
        if let Some(limit) = self.limit {
            let at = scale.at(limit);
            let _ = write!(svg, r#"<line class="chart-limit" x1="{at:.1}" x2="{at:.1}" y1="{HEAD}" y2="{top:.1}"/>"#);
        }
        svg.push_str("</svg>");
        svg
    }

    fn scale(&self) -> Scale {
        let values = self.bars.iter().map(|bar| bar.value).filter(|value| value.is_finite());
        let high = values.fold(self.limit.unwrap_or(0.0), f64::max);
        let paper = (NAMES, f64::from(self.width) - FIGURES);
        match self.log_from {
            Some(low) => Scale::logarithmic((low, high.max(low * 10.0)), paper),
            None => Scale::linear((0.0, round_up(high)), paper),
        }
    }
}

/// Even nothing is drawn a pixel wide: it was measured.
fn draw(svg: &mut String, bar: &Bar, scale: &Scale, top: f64) {
    let end = if bar.value.is_finite() { scale.at(bar.value) } else { NAMES };
    let (wide, class, baseline) = ((end - NAMES).max(1.0), bar.tone.class(), top + 14.0);
    let _ = write!(
        svg,
        r#"<text class="chart-name" text-anchor="end" x="{:.1}" y="{baseline:.1}">{}</text><rect class="chart-fill {class}" x="{NAMES}" y="{:.1}" width="{wide:.1}" height="14" rx="2"/><text x="{:.1}" y="{baseline:.1}">{}</text>"#,
        NAMES - 8.0,
        escape(&bar.name),
        top + 3.0,
        NAMES + wide + 6.0,
        escape(&bar.text)
    );
}
