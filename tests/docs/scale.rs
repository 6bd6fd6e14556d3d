//! The arithmetic of docs/scale.md, done again.

use crate::pages::{Page, page};

/// Cells are rounded to two or three digits.
const ROUNDING: f64 = 0.03;

const SECONDS_OF_A_DAY: f64 = 86_400.0;
/// `ARM_HORIZON` as shipped.
const HORIZON_SECONDS: f64 = 3_600.0;
/// A `put` and a firing.
const COMMITS: f64 = 2.0;
const KB_OF_A_MB: f64 = 1e3;
const KB_OF_A_GB: f64 = 1e6;

fn number(cell: &str) -> f64 {
    cell.replace(',', "").parse().unwrap_or_else(|_| panic!("{cell:?} is no number"))
}

fn constant(page: &Page, name: &str) -> f64 {
    let rows = page.rows_under("Constants");
    let row = rows.iter().find(|row| row[0] == name).unwrap_or_else(|| panic!("no {name}"));
    number(&row[1])
}

#[test]
fn the_worked_numbers_follow_from_the_constants() {
    let page = page("docs/scale.md");
    let [row, wal, events, memory, core] =
        ["row", "wal", "events", "memory", "core"].map(|name| constant(&page, name));
    let rows = page.rows_under("Worked");
    assert!(rows.len() >= 3 && rows.iter().any(|row| number(&row[0]) >= 1e9), "up to a billion");
    for cells in rows {
        let told: Vec<f64> = cells.iter().map(|cell| number(cell)).collect();
        let (pending, days) = (told[0], told[1]);
        let firings = pending / (days * SECONDS_OF_A_DAY);
        let registered = firings * HORIZON_SECONDS;
        let worked = [
            firings,
            registered,
            registered * memory / KB_OF_A_GB,
            pending * row / KB_OF_A_GB,
            firings * COMMITS * wal / KB_OF_A_MB,
            firings * COMMITS * events,
            firings * COMMITS * core / 1000.0,
        ];
        assert_eq!(told.len(), 2 + worked.len(), "{cells:?}");
        for (told, worked) in told[2..].iter().zip(worked) {
            assert!((told / worked - 1.0).abs() < ROUNDING, "{told} should be {worked}: {cells:?}");
        }
    }
}
