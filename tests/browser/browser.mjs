// The browser that drives the pages: Debian's Chromium.

import { chromium } from 'playwright-core';

const { CHROMIUM = '/usr/bin/chromium' } = process.env;

export const launch = () =>
  chromium.launch({
    executablePath: CHROMIUM,
    // A sandbox within a container needs rights that root has not there; and nothing may call out.
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });
