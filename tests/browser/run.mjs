// Runs the scenarios against services that run: `node run.mjs [scenario…]`, as tests/mesh/front.rs does.

import { launch } from './browser.mjs';
import * as consoles from './console.mjs';
import { pictures } from './pictures.mjs';
import * as scenarios from './scenarios.mjs';

const { restartedService, ...gentle } = { ...scenarios, ...consoles, pictures };
const wanted = process.argv.slice(2);
const chosen = (name) => !wanted.length || wanted.includes(name);

const browser = await launch();
let failed = 0;

async function run(name, scenario) {
  if (!chosen(name)) return;
  const began = Date.now();
  try {
    await scenario(browser);
    console.log(`ok ${name} ${((Date.now() - began) / 1000).toFixed(1)} s`);
  } catch (error) {
    failed += 1;
    console.log(`FAILED ${name} ${((Date.now() - began) / 1000).toFixed(1)} s\n${error.stack}`);
  }
}

// They do not disturb each other, and mostly wait; but for the one that restarts the service.
await Promise.all(Object.entries(gentle).map(([name, scenario]) => run(name, scenario)));
await run('restartedService', restartedService);
await browser.close();
process.exit(failed ? 1 : 0);
