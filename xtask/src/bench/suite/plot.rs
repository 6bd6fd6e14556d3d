//! Lines over a scale as an SVG, readable on white and on black.

use std::fmt::Write as _;

/// The whole, and the margins around the plot, in pixels.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 70.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 44.0;
const BOTTOM: f64 = 92.0;
/// Entries of the legend in a row, and the rows' distance.
const LEGEND_COLUMNS: usize = 3;
const LEGEND_ROW: f64 = 18.0;
/// Lines of the grid, about.
const TICKS: f64 = 5.0;

const COLOURS: [&str; 6] = ["#1971c2", "#e5853b", "#2f9e8f", "#c2255c", "#8a8f98", "#7c8cf0"];

const STYLE: &str = "text{font:12px system-ui,sans-serif;fill:#333}.back{fill:#fff}.grid{stroke:#ddd}\
.title{font-weight:600}.line{fill:none;stroke-width:2}\
@media(prefers-color-scheme:dark){text{fill:#ddd}.back{fill:#15171a}.grid{stroke:#383c42}}";

/// How values lie along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// From zero.
    Linear,
    Logarithmic,
}

/// One line.
pub(super) struct Series {
    pub(super) name: String,
    pub(super) points: Vec<(f64, f64)>,
}

/// A picture.
pub(super) struct Chart {
    pub(super) title: String,
    pub(super) x: (&'static str, Scale),
    pub(super) y: (&'static str, Scale),
    pub(super) series: Vec<Series>,
}

/// An axis: what it spans and where it lies.
struct Axis {
    scale: Scale,
    low: f64,
    high: f64,
    from: f64,
    to: f64,
}

impl Axis {
    fn over(values: impl Iterator<Item = f64>, scale: Scale, (from, to): (f64, f64)) -> Self {
        let wanted = |value: &f64| value.is_finite() && (scale == Scale::Linear || *value > 0.0);
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(wanted) {
            (low, high) = (low.min(value), high.max(value));
        }
        if !low.is_finite() {
            (low, high) = (1.0, 1.0);
        }
        (low, high) = match scale {
            Scale::Linear => {
                let step = step(high.max(f64::MIN_POSITIVE));
                (0.0, (high / step).ceil().max(1.0) * step)
            }
            Scale::Logarithmic => {
                let (low, high) = (low.log10().floor(), high.log10().ceil());
                (10f64.powf(low), 10f64.powf(high.max(low + 1.0)))
            }
        };
        Self { scale, low, high, from, to }
    }

    /// Where a value lies; one beyond the ends lies at the end.
    fn at(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => {
                (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
            }
        };
        self.from + (self.to - self.from) * share.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        let (mut ticks, mut value) = (Vec::new(), self.low);
        while value <= self.high * 1.000_001 {
            ticks.push(value);
            value = match self.scale {
                Scale::Linear => value + step(self.high),
                Scale::Logarithmic => value * 10.0,
            };
        }
        ticks
    }
}

/// A round distance between lines of the grid, so that some of them lie below that value.
fn step(high: f64) -> f64 {
    let rough = high / TICKS;
    let decade = 10f64.powf(rough.log10().floor());
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| round * decade >= rough * 0.999_999);
    round.unwrap_or(10.0) * decade
}

/// A tick's label.
fn label(value: f64) -> String {
    if value >= 1_000_000.0 {
        format!("{}M", value / 1_000_000.0)
    } else if value >= 1_000.0 {
        format!("{}k", value / 1_000.0)
    } else {
        format!("{}", (value * 1_000.0).round() / 1_000.0)
    }
}

impl Chart {
    /// Draws it.
    pub(super) fn svg(&self) -> String {
        let points = || self.series.iter().flat_map(|series| &series.points);
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        let x = Axis::over(points().map(|(x, _)| *x), self.x.1, (LEFT, right));
        let y = Axis::over(points().map(|(_, y)| *y), self.y.1, (bottom, TOP));
        let title = &self.title;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
             aria-label=\"{title}\">\n<style>{STYLE}</style>\n\
             <rect class=\"back\" width=\"{WIDTH}\" height=\"{HEIGHT}\"/>\n\
             <text class=\"title\" x=\"{LEFT}\" y=\"18\">{title}</text>\n\
             <text x=\"{LEFT}\" y=\"36\" text-anchor=\"start\">{}</text>\n\
             <text x=\"{right}\" y=\"{}\" text-anchor=\"end\">{}</text>\n",
            self.y.0,
            bottom + 34.0,
            self.x.0
        );
        // Writing to a string does not fail.
        for value in x.ticks() {
            let (at, low, label) = (x.at(value), bottom + 16.0, label(value));
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{at:.1} {TOP}V{bottom}\"/>\
                 <text x=\"{at:.1}\" y=\"{low}\" text-anchor=\"middle\">{label}</text>"
            );
        }
        for value in y.ticks() {
            let (at, label) = (y.at(value), label(value));
            let _ = writeln!(
                svg,
                "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>\
                 <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                LEFT - 6.0,
                at + 4.0
            );
        }
        for (number, series) in self.series.iter().enumerate() {
            draw(&mut svg, number, series, (&x, &y));
        }
        svg.push_str("</svg>\n");
        svg
    }
}

fn draw(svg: &mut String, number: usize, series: &Series, (x, y): (&Axis, &Axis)) {
    let colour = COLOURS[number % COLOURS.len()];
    let mut line = String::new();
    for (number, point) in series.points.iter().enumerate() {
        let (at, up) = (x.at(point.0), y.at(point.1));
        let _ = write!(line, "{}{at:.1} {up:.1}", if number == 0 { "M" } else { "L" });
        let _ = writeln!(svg, "<circle cx=\"{at:.1}\" cy=\"{up:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
    let _ = writeln!(svg, "<path class=\"line\" stroke=\"{colour}\" d=\"{line}\"/>");
    let (column, row) = (place(number % LEGEND_COLUMNS), place(number / LEGEND_COLUMNS));
    let at = LEFT + column * (WIDTH - LEFT - RIGHT) / place(LEGEND_COLUMNS);
    let up = HEIGHT - BOTTOM + 54.0 + row * LEGEND_ROW;
    let _ = writeln!(
        svg,
        "<path class=\"line\" stroke=\"{colour}\" d=\"M{at:.1} {:.1}h18\"/>\
         <text x=\"{:.1}\" y=\"{up:.1}\">{}</text>",
        up - 4.0,
        at + 24.0,
        series.name
    );
}

#[expect(clippy::cast_precision_loss, reason = "a handful")]
const fn place(number: usize) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        (a - b).abs() < 1e-6
    }

    #[test]
    fn a_linear_axis_begins_at_zero_and_ends_at_a_round_value() {
        let axis = Axis::over([130.0, 940.0].into_iter(), Scale::Linear, (0.0, 100.0));
        assert!(close(axis.low, 0.0) && close(axis.high, 1_000.0), "{}", axis.high);
        assert!(close(axis.at(500.0), 50.0) && close(axis.at(5_000.0), 100.0));
        assert_eq!(axis.ticks().len(), 6);
    }

    #[test]
    fn a_logarithmic_axis_has_whole_decades_and_leaves_out_what_it_cannot_show() {
        let axis = Axis::over([0.0, 2.0, 300.0].into_iter(), Scale::Logarithmic, (100.0, 0.0));
        assert!(close(axis.low, 1.0) && close(axis.high, 1_000.0));
        assert!(close(axis.at(1.0), 100.0) && close(axis.at(10.0), 200.0 / 3.0));
        assert!(close(axis.at(0.0), 100.0), "it lies at the end");
        assert_eq!(axis.ticks().len(), 4);
    }

    #[test]
    fn nothing_and_one_value_can_be_drawn() {
        for values in [vec![], vec![7.0]] {
            for scale in [Scale::Linear, Scale::Logarithmic] {
                let axis = Axis::over(values.iter().copied(), scale, (0.0, 1.0));
                assert!(axis.at(7.0).is_finite() && axis.ticks().len() >= 2);
            }
        }
    }

    #[test]
    fn each_series_is_a_line_with_a_name() {
        let series =
            |name: &str| Series { name: name.into(), points: vec![(1.0, 1.0), (2.0, 10.0)] };
        let chart = Chart {
            title: "Title".into(),
            x: ("load", Scale::Linear),
            y: ("ms", Scale::Logarithmic),
            series: vec![series("floor"), series("ours")],
        };
        let svg = chart.svg();
        assert_eq!((svg.matches("<circle").count(), svg.matches('L').count()), (4, 2), "{svg}");
        assert!(svg.contains(">ours</text>") && svg.contains(">10</text>"), "{svg}");
        assert_eq!([label(2_500.0), label(1e6), label(0.1)], ["2.5k", "1M", "0.1"]);
    }
}
