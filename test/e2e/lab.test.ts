// A person works through the first lab with keyboard and mouse, leaves, and comes back to find all of it as it was.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';

import { browserTest } from '../support/chromium.ts';
import { makeTemporaryFolder } from '../support/drydock.ts';
import { Screen } from '../support/screen.ts';

const MACHINE = 'master1';
const IN_CONTAINER = /^root@\S+:\/#$/;
const GUIDE = path.join(import.meta.dirname, '../../labs/service/session-affinity/steps/01-create.en.md');

const PROXY = { timeout: 15_000, interval: 500 };

/** The file that the guide asks the learner to write. */
const MANIFEST = /```yaml[^\n]*\n(.*?)```/s.exec(readFileSync(GUIDE, 'utf8'))![1]!;

/** Opens the lab from the shelf in Chinese. */
async function openLab({ page }: Screen): Promise<void> {
  await page.getByTestId('shelf').waitFor();
  await page.getByTestId('language-zh').click();
  const card = page.locator('[data-lab-id="service/session-affinity"]');
  await card.getByText('会话保持').waitFor();
  await card.getByTestId('open-lab').click();
  await page.getByTestId('guide').waitFor();
  await expect
    .poll(() => page.getByTestId('tab-terminal').allTextContents())
    .toEqual(['master1', 'worker1', 'worker2']);
}

/** Clicks Check, expects every check of the step to be green, and goes on to the next step. */
async function expectGreen({ page }: Screen, step: number): Promise<void> {
  await page.getByTestId('check').click();
  await expect
    .poll(
      () =>
        page
          .getByTestId('check-result')
          .evaluateAll((all) =>
            all
              .map((each) => `${each.dataset['checkId']} ${each.dataset['status']} ${each.textContent}`)
              .filter((text) => !text.includes(' passed ')),
          ),
      { timeout: 30_000 },
    )
    .toEqual([]);
  expect(await page.getByTestId('check-result').count()).toBeGreaterThan(0);
  if (step < 4) await page.getByTestId('next-step').click();
}

async function pods(screen: Screen): Promise<{ name: string; ip: string }[]> {
  await screen.type(MACHINE, 'clear');
  const table = await screen.type(
    MACHINE,
    `kubectl get pods -l app=nginx --no-headers -o custom-columns=N:.metadata.name,I:.status.podIP`,
  );
  return [...table.matchAll(/^(nginx-server1-\S+)\s+(10\.\S+)\s*$/gm)].map(([, name, ip]) => ({
    name: name!,
    ip: ip!,
  }));
}

browserTest(
  'the whole lab is typed into a terminal, every check turns green, and all of it is there again later',
  async () => {
    using folder = makeTemporaryFolder();
    let before: { name: string; ip: string }[];
    {
      await using screen = await Screen.open({ data: folder.path });
      const { page } = screen;
      await openLab(screen);
      await screen.focus(MACHINE);
      await expect.poll(() => screen.text(MACHINE), { timeout: 20_000 }).toContain('[root@master1 ~]#');

      // 1: a file, written in the editor; applied.
      await page.getByTestId('check').click();
      await page.locator('[data-check-id="deployment"][data-status="failed"]').waitFor();
      await screen.focus(MACHINE);
      await page.keyboard.type('vim sessionAffinity.yaml\n');
      await page.getByTestId('editor').waitFor();
      await page.keyboard.type(`i${MANIFEST.trimEnd()}`);
      await page.keyboard.press('Escape');
      await page.keyboard.type(':wq\n');
      await page.getByTestId('editor').waitFor({ state: 'detached' });
      expect(await screen.type(MACHINE, 'kubectl apply -f sessionAffinity.yaml')).toMatch(
        /deployment\.apps\/nginx-server1 created\s+service\/nginx-svc created/,
      );
      await expectGreen(screen, 0);

      // 2: a page for each pod, written by a shell in the container.
      await screen.focus(MACHINE);
      before = await pods(screen);
      expect(before).toHaveLength(2);
      for (const [index, { name }] of before.entries()) {
        await screen.type(MACHINE, `kubectl exec -it ${name} -- bash`, IN_CONTAINER);
        await screen.type(MACHINE, `echo "web${index + 1}" > /usr/share/nginx/html/index.html`, IN_CONTAINER);
        await screen.type(MACHINE, 'exit');
      }
      await expectGreen(screen, 1);

      // 3: requests take turns.
      await screen.focus(MACHINE);
      const [, address] = /nginx-svc\s+ClusterIP\s+(10\.\S+)/.exec(
        await screen.type(MACHINE, 'kubectl get svc nginx-svc'),
      )!;
      const answers = async (): Promise<string[]> => {
        await screen.type(MACHINE, 'clear');
        const printed = await screen.type(MACHINE, `for i in 1 2 3 4; do curl -s ${address}; done`);
        return printed.match(/^web[12]$/gm) ?? [];
      };
      expect((await answers()).sort()).toEqual(['web1', 'web1', 'web2', 'web2']);
      await expectGreen(screen, 2);

      // 4: they stick.
      await screen.focus(MACHINE);
      expect(
        await screen.type(
          MACHINE,
          `kubectl patch svc nginx-svc -p '{"spec":{"sessionAffinity":"ClientIP"}}'`,
        ),
      ).toContain('service/nginx-svc patched');
      // kube-proxy takes its moment to hear of it, as it does in a real cluster.
      await expect.poll(async () => new Set(await answers()).size, PROXY).toBe(1);
      expect(await screen.type(MACHINE, 'kubectl describe svc nginx-svc')).toMatch(
        /Session Affinity:\s+ClientIP/,
      );
      await expectGreen(screen, 3);

      // 5: and back.
      await screen.focus(MACHINE);
      await screen.type(MACHINE, `kubectl patch svc nginx-svc -p '{"spec":{"sessionAffinity":"None"}}'`);
      await expect
        .poll(async () => (await answers()).sort(), PROXY)
        .toEqual(['web1', 'web1', 'web2', 'web2']);
      await expectGreen(screen, 4);
      await page.getByTestId('lab-done').waitFor();
      expect(await page.getByTestId('score').textContent()).toContain('16');
      expect(screen.faults).toEqual([]);
      await screen.close();
    }

    await using screen = await Screen.open({ data: folder.path });
    const { page } = screen;
    const resume = page.getByTestId('resume-lab');
    await resume.or(page.getByTestId('guide')).first().waitFor();
    if (await resume.isVisible()) await resume.click();
    await page.getByTestId('guide').waitFor();
    expect(await page.getByTestId('score').textContent()).toContain('16');
    expect(await page.getAttribute('html', 'lang')).toBe('zh-CN');
    await screen.focus(MACHINE);
    await expect.poll(() => screen.text(MACHINE), { timeout: 20_000 }).toContain('[root@master1 ~]#');
    expect(await pods(screen)).toEqual(before);
    expect(await screen.type(MACHINE, 'cat sessionAffinity.yaml')).toContain('name: nginx-server1');
    await screen.type(MACHINE, 'clear');
    expect(await screen.type(MACHINE, 'history | grep sessionAffinity')).toMatch(
      /kubectl patch svc nginx-svc -p .*None/,
    );
    await screen.type(MACHINE, 'clear');
    await page.keyboard.press('Control+r');
    await page.keyboard.type('exec -it');
    await expect.poll(() => screen.text(MACHINE)).toContain(`kubectl exec -it ${before[1]!.name} -- bash`);
    await page.keyboard.press('Control+c');
    expect(
      await screen.type(MACHINE, `kubectl exec ${before[0]!.name} -- cat /usr/share/nginx/html/index.html`),
    ).toContain('web1');
    expect(screen.faults).toEqual([]);
    await screen.close();
  },
  120_000,
);
