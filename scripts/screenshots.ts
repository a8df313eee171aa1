// `npm run screenshots`: takes pictures of every screen in both languages and both themes, for people to look at.
import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';

import { makeTemporaryFolder } from '../test/support/drydock.ts';
import { Screen } from '../test/support/screen.ts';
import { ensureBuilt, ROOT } from './setup.mjs';

const FOLDER = path.join(ROOT, 'out', 'screenshots');
const LAB = 'service/session-affinity';
const LANGUAGES = ['en', 'zh'] as const;
const THEMES = ['light', 'dark'] as const;
/** Animations and redrawing of the picture come to rest. */
const REST_MS = 600;

/** One screen in every look. */
async function shoot(screen: Screen, name: string): Promise<void> {
  const { page } = screen;
  for (const language of LANGUAGES) {
    await page.evaluate(
      (wanted) => document.querySelector<HTMLElement>(`[data-testid="language-${wanted}"]`)?.click(),
      language,
    );
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme });
      await page.waitForTimeout(REST_MS);
      await page.screenshot({ path: path.join(FOLDER, `${name}.${language}.${theme}.png`) });
    }
  }
  process.stdout.write(`${name}\n`);
}

async function run(screen: Screen): Promise<void> {
  const { page } = screen;
  await page.getByTestId('shelf').waitFor();
  await shoot(screen, '1-shelf');

  await page.locator(`[data-lab-id="${LAB}"]`).getByTestId('open-lab').click();
  await page.getByTestId('guide').waitFor();
  await screen.focus('master1');
  await screen.type('master1', 'kubectl get nodes -o wide');
  await shoot(screen, '2-lab');

  await page.getByTestId('check').click();
  await page.locator('[data-testid="check-result"][data-status="failed"]').first().waitFor();
  await shoot(screen, '3-check-failed');

  await page.getByTestId('write-file').first().click();
  await page.waitForTimeout(REST_MS);
  await screen.focus('master1');
  await page.keyboard.type('vim sessionAffinity.yaml\n');
  await page.getByTestId('editor').waitFor();
  await shoot(screen, '4-vim');
  await page.keyboard.type(':q\n');
  await page.getByTestId('editor').waitFor({ state: 'detached' });

  await screen.type('master1', 'kubectl apply -f sessionAffinity.yaml');
  await screen.type('master1', 'kubectl rollout status deployment nginx-server1');
  await screen.type('master1', 'kubectl get pods,svc -o wide');
  await page.getByTestId('check').click();
  await page.locator('[data-check-id="service"][data-status="passed"]').waitFor();
  await shoot(screen, '5-check-passed');

  await page.getByTestId('topology-table').click();
  await shoot(screen, '6-tables');
  await page.getByTestId('topology-picture').click();

  await page.getByTestId('settings').click();
  await shoot(screen, '7-settings');
  await page.keyboard.press('Escape');

  await page.setViewportSize({ width: 900, height: 640 });
  await shoot(screen, '8-small');
}

await ensureBuilt();
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
using folder = makeTemporaryFolder();
await using screen = await Screen.open({ data: folder.path });
await run(screen);
process.stdout.write(`The pictures are in ${FOLDER}\n`);
