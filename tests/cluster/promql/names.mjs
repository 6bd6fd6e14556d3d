// What PromQL expressions name, by Prometheus' own grammar. Called with the folder of the packages; reads a
// JSON list of expressions, prints a JSON list: for each its selectors and the labels it groups by.

import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { text } from "node:stream/consumers";

// The packages are installed below target/, not beside this file.
const require = createRequire(join(resolve(process.argv[2]), "package.json"));
const { parser } = require("@prometheus-io/lezer-promql");

function names(expression) {
  const found = { errors: 0, selectors: [], groups: [] };
  const at = (node) => expression.slice(node.from, node.to);
  parser.parse(expression).iterate({
    enter(node) {
      if (node.type.isError) found.errors += 1;
      if (node.name === "VectorSelector") {
        found.selectors.push({ metric: at(node.node.getChild("Identifier")), matchers: [] });
      }
      if (node.name === "UnquotedLabelMatcher") {
        const part = (name) => at(node.node.getChild(name));
        const [label, operator] = [part("LabelName"), part("MatchOp")];
        const value = JSON.parse(part("StringLiteral"));
        found.selectors.at(-1).matchers.push({ label, operator, value });
      }
      if (node.name === "GroupingLabels") {
        found.groups.push(...node.node.getChildren("LabelName").map(at));
      }
    },
  });
  return found;
}

console.log(JSON.stringify(JSON.parse(await text(process.stdin)).map(names)));
