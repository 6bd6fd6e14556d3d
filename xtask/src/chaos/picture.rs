//! Lateness over time as an SVG: for each second the latest firing and the median, on a logarithmic
//! scale, with the faults as coloured bands.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::heal::Healing;
use super::history::{History, Hurt, Ms};
use super::judge::Firing;

/// The plot, in pixels: it grows with the faults, for each has a label.
const WIDTH_MIN: f64 = 1_100.0;
const WIDTH_PER_FAULT: f64 = 15.0;
const HEIGHT: f64 = 320.0;
const LEFT: f64 = 62.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 120.0;
const BOTTOM: f64 = 64.0;

/// A label's width across its slanted text, its distance from the band and above the plot.
const LABEL_WIDTH: f64 = 11.0;
const LABEL_OFFSET: f64 = 4.0;
const LABEL_RISE: f64 = 10.0;

/// The ends of the scale, in powers of ten of milliseconds: 1 ms to 100 s.
const DECADES: f64 = 5.0;
const TICKS: [(Ms, &str); 6] = [
    (1, "1 ms"),
    (10, "10 ms"),
    (100, "100 ms"),
    (1_000, "1 s"),
    (10_000, "10 s"),
    (100_000, "100 s"),
];

/// What is drawn in which colour; each is told from the others on white and on black.
const COLOURS: [(&str, &str); 8] = [
    ("app", "#e5853b"),
    ("replica", "#d1495b"),
    ("sidecar", "#c77dba"),
    ("placement", "#7c8cf0"),
    ("scheduler", "#2f9e8f"),
    ("postgres", "#4f9bd9"),
    ("kafka", "#b8a127"),
    ("rollout", "#8a8f98"),
];

const STYLE: &str = "text{font:11px system-ui,sans-serif;fill:#333}.back{fill:#fff}.grid{stroke:#ddd}\
.max{stroke:#c2255c}.mid{stroke:#1971c2}.dots{stroke-linecap:round;fill:none}.small{font-size:9px}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.back{fill:#15171a}.grid{stroke:#383c42}\
.max{stroke:#ff8fb1}.mid{stroke:#74c0fc}}";

/// Draws it.
pub(super) fn draw(history: &History, firings: &[Firing], healings: &[Healing]) -> String {
    let count = u32::try_from(history.hurts.len()).unwrap_or(u32::MAX);
    let inner = WIDTH_MIN.max(f64::from(count) * WIDTH_PER_FAULT);
    let (width, height) = (LEFT + inner + RIGHT, TOP + HEIGHT + BOTTOM);
    let span = seconds(history.ended - history.began).max(1.0);
    let x = |at: Ms| LEFT + inner * (seconds(at - history.began) / span).clamp(0.0, 1.0);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" role=\"img\" \
         aria-label=\"Lateness of reminders over time, with the faults\">\n<style>{STYLE}</style>\n\
         <rect class=\"back\" width=\"{width:.0}\" height=\"{height:.0}\"/>\n"
    );
    let mut labels = f64::MIN;
    for hurt in &history.hurts {
        let healed = healings.iter().find(|slot| slot.slot == hurt.slot).map(Healing::until);
        band(&mut svg, hurt, x(hurt.began), x(hurt.back), x(healed.unwrap_or(hurt.back)));
        labels = (labels + LABEL_WIDTH).max(x(hurt.began) + LABEL_OFFSET);
        label(&mut svg, hurt, x(hurt.began), labels);
    }
    grid(&mut svg, inner, span);
    let mut by_second: BTreeMap<Ms, Vec<Ms>> = BTreeMap::new();
    for firing in firings {
        by_second.entry(firing.owed / 1_000).or_default().push(firing.arrived - firing.owed);
    }
    let (mut latest, mut median) = (String::new(), String::new());
    for (second, mut late) in by_second {
        late.sort_unstable();
        let at = x(second * 1_000);
        dot(&mut median, at, late[(late.len() - 1) / 2]);
        dot(&mut latest, at, late.last().copied().unwrap_or_default());
    }
    // Writing to a string does not fail.
    let _ = writeln!(svg, "<path class=\"dots mid\" stroke-width=\"2\" d=\"{median}\"/>");
    let _ = writeln!(svg, "<path class=\"dots max\" stroke-width=\"3\" d=\"{latest}\"/>");
    legend(&mut svg);
    svg.push_str("</svg>\n");
    svg
}

/// Dark while the part is away, light until all is well again.
fn band(svg: &mut String, hurt: &Hurt, began: f64, back: f64, healed: f64) {
    let colour = colour(&hurt.name);
    for (from, until, opacity) in [(began, back, 0.45), (back, healed, 0.16)] {
        let width = (until - from).max(if opacity > 0.4 { 1.5 } else { 0.0 });
        let _ = writeln!(
            svg,
            "<rect x=\"{from:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{HEIGHT}\" \
             fill=\"{colour}\" fill-opacity=\"{opacity}\"/>"
        );
    }
}

/// The name of a fault, above its band or as near to it as the one before leaves room.
fn label(svg: &mut String, hurt: &Hurt, began: f64, at: f64) {
    let (foot, up) = (at - LABEL_OFFSET, TOP - LABEL_RISE);
    let _ = writeln!(
        svg,
        "<path stroke=\"{}\" d=\"M{began:.1} {TOP}L{foot:.1} {up}\"/>\
         <text class=\"small\" x=\"{at:.1}\" y=\"{up}\" \
         transform=\"rotate(-58 {at:.1} {up})\">{}</text>",
        colour(&hurt.name),
        hurt.label
    );
}

fn grid(svg: &mut String, inner: f64, span: f64) {
    let right = LEFT + inner;
    for (ms, name) in TICKS {
        let (at, text, end) = (y(ms), y(ms) + 4.0, LEFT - 6.0);
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right:.1}\"/>\
             <text x=\"{end}\" y=\"{text:.1}\" text-anchor=\"end\">{name}</text>"
        );
    }
    let step = [10.0, 30.0, 60.0, 300.0, 600.0].into_iter().find(|step| span / step <= 15.0);
    let step = step.unwrap_or(3_600.0);
    let (mut time, bottom) = (0.0, TOP + HEIGHT);
    while time <= span {
        let at = LEFT + inner * time / span;
        let (low, name) =
            (bottom + 16.0, format!("{:.0}:{:02.0}", (time / 60.0_f64).floor(), time % 60.0));
        let _ = writeln!(
            svg,
            "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>\
             <text x=\"{at:.1}\" y=\"{low}\" text-anchor=\"middle\">{name}</text>"
        );
        time += step;
    }
}

fn legend(svg: &mut String) {
    let (row, mut at) = (TOP + HEIGHT + 44.0, LEFT);
    for (class, name) in [("max", "latest of a second"), ("mid", "median of a second")] {
        let text = at + 8.0;
        let _ = writeln!(
            svg,
            "<path class=\"dots {class}\" stroke-width=\"5\" d=\"M{at} {}h0\"/>\
             <text x=\"{text}\" y=\"{row}\">{name}</text>",
            row - 4.0
        );
        at += 130.0;
    }
    for (name, colour) in COLOURS {
        let (top, text) = (row - 10.0, at + 16.0);
        let _ = writeln!(
            svg,
            "<rect x=\"{at}\" y=\"{top}\" width=\"12\" height=\"12\" fill=\"{colour}\" \
             fill-opacity=\"0.6\"/><text x=\"{text}\" y=\"{row}\">{name}</text>"
        );
        at += 84.0;
    }
    let _ = writeln!(svg, "<text x=\"{at}\" y=\"{row}\">dark: away, light: until healed</text>");
}

fn colour(name: &str) -> &'static str {
    let found = COLOURS.iter().find(|(target, _)| name.contains(target));
    found.map_or("#8a8f98", |(_, colour)| colour)
}

fn dot(path: &mut String, at: f64, late: Ms) {
    let _ = write!(path, "M{at:.1} {:.1}h0", y(late));
}

/// Where a lateness lies; what is beyond the scale lies at its end.
fn y(late: Ms) -> f64 {
    let decades = (seconds(late.max(1)) * 1_000.0).log10();
    TOP + HEIGHT * (1.0 - (decades / DECADES).clamp(0.0, 1.0))
}

#[expect(clippy::cast_precision_loss, reason = "hours of milliseconds")]
fn seconds(ms: Ms) -> f64 {
    ms as f64 / 1_000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_is_logarithmic_and_has_ends() {
        let step = y(1) - y(10);
        assert!(
            (step - HEIGHT / DECADES).abs() < 1e-6 && (y(1_000) - y(10_000) - step).abs() < 1e-6
        );
        assert!((y(0) - (TOP + HEIGHT)).abs() < 1e-6 && (y(Ms::MAX) - TOP).abs() < 1e-6);
    }

    #[test]
    fn faults_are_bands_with_labels_and_firings_dots() {
        let hurt = Hurt {
            label: "kill kafka, 2.0 s".into(),
            name: "kill kafka".into(),
            slot: 0,
            began: 10_000,
            back: 12_000,
            ready: None,
        };
        let history = History { hurts: vec![hurt], ended: 110_000, ..History::default() };
        let healing =
            Healing { slot: 0, began: 10_000, back: 12_000, well: Some(20_000), next: 110_000 };
        let firing = |owed, late| Firing { owed, fired: owed, arrived: owed + late };
        let firings = [firing(55_000, 10), firing(55_100, 1_000), firing(55_200, 10)];
        let svg = draw(&history, &firings, &[healing]);
        assert!(svg.contains(">kill kafka, 2.0 s</text>"), "{svg}");
        // 110 s are 1,100 pixels.
        assert!(svg.contains("x=\"162.0\" y=\"120\" width=\"20.0\""), "{svg}");
        assert!(svg.contains("x=\"182.0\" y=\"120\" width=\"80.0\""), "{svg}");
        assert!(svg.contains(&format!("M612.0 {:.1}h0\"", y(1_000))), "{svg}");
        assert!(svg.contains(&format!("M612.0 {:.1}h0\"", y(10))), "{svg}");
        assert_eq!(svg.matches("h0").count(), 2 + 2, "two dots, and two of the legend");
        assert!(svg.starts_with("<svg") && svg.ends_with("</svg>\n"));
    }
}
