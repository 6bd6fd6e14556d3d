// A histogram as a picture, and as a table for who cannot see it.

import { h, svg, table } from './elements.js';
import { about, moment, tasks } from './words.js';

const WIDTH = 720;
const HEIGHT = 120;
const GAP = 2;
const TOP = 14;

/** The bars of a scale. */
export function chart(scale) {
  const most = Math.max(1, ...scale.buckets.map((bucket) => bucket.count));
  const total = scale.buckets.reduce((sum, bucket) => sum + bucket.count, 0);
  const guessed = scale.buckets.some((bucket) => bucket.estimated);
  const words = total
    ? `${tasks(total, guessed)} within the next ${scale.span}; at most ${about(most, guessed)} in one bar`
    : `No tasks within the next ${scale.span}`;
  const step = WIDTH / scale.buckets.length;
  const bars = scale.buckets.map((bucket, n) => {
    const height = bucket.count ? Math.max(2, (bucket.count / most) * (HEIGHT - TOP)) : 0;
    return svg('rect', {
      class: bucket.estimated ? 'bar guessed' : 'bar',
      x: n * step, y: HEIGHT - height, width: step - GAP, height, rx: 2,
    }, svg('title', {}, `${label(scale, bucket)}: ${about(bucket.count, bucket.estimated)}`));
  });
  const line = svg('line', { class: 'base', x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT });
  const first = label(scale, scale.buckets[0]);
  const last = label(scale, scale.buckets.at(-1));
  return h('figure', { class: 'chart', 'data-span': scale.span },
    h('figcaption', {}, h('strong', {}, `Next ${scale.span}: `), words),
    svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': words, preserveAspectRatio: 'none' }, bars, line),
    h('p', { class: 'axis', 'aria-hidden': 'true' }, h('span', {}, first), h('span', {}, last)),
    total ? h('details', {}, h('summary', {}, `Next ${scale.span} as a table`),
      table(`Tasks by ${unit(scale)}`, ['From', 'Tasks'], scale.buckets.filter((bucket) => bucket.count)
        .map((bucket) => [moment(bucket.from), about(bucket.count, bucket.estimated)]))) : null);
}

const unit = (scale) => ({ hour: 'minute', day: 'hour', month: 'day' })[scale.span];

function label(scale, bucket) {
  const at = new Date(bucket.from);
  return scale.span === 'month'
    ? at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' })
    : at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
