//! Figures in rows and columns, shaded by how bad they are.

use std::fmt::Write;

use crate::escape;

/// The deepest shade.
const HOTTEST: u8 = 5;

/// One figure.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HeatCell {
    text: String,
    heat: Option<u8>,
    note: String,
}

impl HeatCell {
    /// A figure without a shade.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), heat: None, note: String::new() }
    }

    /// Its shade: 0 is as it should be, 5 the worst; more is taken as 5.
    #[must_use]
    pub fn heat(mut self, heat: u8) -> Self {
        self.heat = Some(heat.min(HOTTEST));
        self
    }

    /// What is shown when the pointer rests on it.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }
}

/// A table of figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeatTable {
    title: String,
    description: String,
    corner: String,
    columns: Vec<String>,
    rows: Vec<(String, Vec<HeatCell>)>,
}

impl HeatTable {
    /// A table without rows yet; `corner` says what the rows are.
    #[must_use]
    pub fn new(title: impl Into<String>, corner: impl Into<String>, columns: Vec<String>) -> Self {
        let (title, corner) = (title.into(), corner.into());
        Self { title, description: String::new(), corner, columns, rows: Vec::new() }
    }

    /// How to read it, in a sentence below its title.
    #[must_use]
    pub fn description(mut self, text: impl Into<String>) -> Self {
        self.description = text.into();
        self
    }

    /// One more row.
    #[must_use]
    pub fn row(mut self, name: impl Into<String>, cells: Vec<HeatCell>) -> Self {
        self.rows.push((name.into(), cells));
        self
    }

    /// The table as a `table` element.
    #[must_use]
    pub fn render(&self) -> String {
        let mut html = format!(r#"<table class="chart-table"><caption>{}"#, escape(&self.title));
        if !self.description.is_empty() {
            let _ = write!(html, "<small>{}</small>", escape(&self.description));
        }
        let _ = write!(html, r#"</caption><thead><tr><th scope="col">{}</th>"#, escape(&self.corner));
        for column in &self.columns {
            let _ = write!(html, r#"<th scope="col">{}</th>"#, escape(column));
        }
        html.push_str("</tr></thead><tbody>");
        for (name, cells) in &self.rows {
            let _ = write!(html, r#"<tr><th scope="row">{}</th>"#, escape(name));
            cells.iter().for_each(|cell| draw(&mut html, cell));
            html.push_str("</tr>");
        }
        html.push_str("</tbody></table>");
        html
    }
}

fn draw(html: &mut String, cell: &HeatCell) {
    html.push_str("<td");
    if let Some(heat) = cell.heat {
        let _ = write!(html, r#" class="heat-{heat}""#);
    }
    if !cell.note.is_empty() {
        let _ = write!(html, r#" title="{}""#, escape(&cell.note));
    }
    let _ = write!(html, ">{}</td>", escape(&cell.text));
}
