// The pictures for the documentation: a user with a few tasks, on a desk, on a phone, and when it rings.

import { PICTURES, card, elsewhere, open, toast, todo, unique } from './support.mjs';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

export async function pictures(browser) {
  const user = `${unique('ada')}@example.org`;
  await elsewhere(user, 'Call the dentist', 500);
  await elsewhere(user, 'Take the bread out of the oven', 4.6 * MINUTE);
  await todo('POST', '/v1/tasks', {
    title: 'Stand-up with the team', userId: user, tags: ['work'], recurrence: { rule: 'FREQ=DAILY' },
    dueDate: { local: new Date(Date.now() + 52 * MINUTE).toISOString().slice(0, 19), zone: 'UTC' },
  });
  await todo('POST', '/v1/tasks', {
    title: 'Renew the passport', userId: user, priority: 'high',
    description: 'Two photos, the old passport, and the form from the town hall.',
    dueDate: new Date(Date.now() + 9.2 * DAY).toISOString(),
  });
  await elsewhere(user, 'Read the book that Bob lent me');
  for (const [name, look] of Object.entries({
    desktop: { viewport: { width: 1100, height: 980 }, colorScheme: 'light' },
    dark: { viewport: { width: 1100, height: 980 }, colorScheme: 'dark' },
    phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 },
  })) {
    const { page, close } = await open(browser, user, { reducedMotion: 'reduce', ...look });
    await page.evaluate((user) => { document.getElementById('user').textContent = user; }, 'ada@example.org');
    await page.locator('#ringing').getByRole('heading', { name: 'Call the dentist' }).waitFor();
    await card(page, 'Renew the passport').waitFor();
    await page.screenshot({ path: `${PICTURES}/${name}.png` });
    if (name === 'desktop') {
      await elsewhere(user, 'Buy milk', 500);
      await toast(page, 'Buy milk').waitFor();
      await page.screenshot({ path: `${PICTURES}/toast.png` });
      await toast(page, 'Buy milk').getByRole('button', { name: 'Done: Buy milk' }).click();
      await toast(page, 'Buy milk').waitFor({ state: 'detached' });
    }
    await close();
  }
}
