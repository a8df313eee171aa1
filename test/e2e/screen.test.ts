// The built screen in a real browser, with a fake engine behind the real socket protocol.
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, vi } from 'vitest';

import type { TerminalProbe } from '../../renderer/terminal/terminal-probe.ts';
import { browserTest, findChromium, launchChromium } from '../support/chromium.ts';
import { makeFakeBridge, type FakeBridge, type FakeOptions } from '../support/fake-bridge.ts';
import { startFakeHost, type FakeHost } from '../support/fake-host.ts';

interface Screen extends AsyncDisposable {
  readonly page: Page;
  readonly bridge: FakeBridge;
  readonly host: FakeHost;
  /** What went wrong in the page. */
  readonly faults: readonly string[];
  terminalText(terminalId?: string): Promise<string>;
  /** Types into the first terminal, with Enter at the end. */
  type(line: string): Promise<void>;
}

let browser: Browser | undefined;
beforeAll(async () => {
  if (findChromium() !== undefined) browser = await launchChromium();
});
afterAll(() => browser?.close());

async function openScreen(options: FakeOptions = { labOpen: true }): Promise<Screen> {
  const bridge = makeFakeBridge(options);
  const host = await startFakeHost(bridge);
  const context = await browser!.newContext({ viewport: { width: 1280, height: 800 } });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', ({ message }) => faults.push(message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.goto(host.url);
  await page.getByTestId(options.labOpen === true ? 'terminal' : 'shelf').waitFor();
  return {
    page,
    bridge,
    host,
    faults,
    terminalText: (terminalId = 'terminal-1') =>
      page.evaluate((id) => {
        const probe: TerminalProbe | undefined = window.drydockTerminals;
        return probe?.text(id) ?? '';
      }, terminalId),
    type: async (line) => {
      await page.locator('[data-terminal-id="terminal-1"] .xterm-helper-textarea').focus();
      await page.keyboard.type(line);
      await page.keyboard.press('Enter');
    },
    [Symbol.asyncDispose]: async () => {
      await context.close();
      await host[Symbol.asyncDispose]();
    },
  };
}

browserTest('a lab opens from the shelf, with a terminal on each machine', async () => {
  await using screen = await openScreen({ labOpen: false });
  const { page, faults } = screen;
  await page.getByTestId('open-lab').first().click();
  await page.getByTestId('guide').waitFor();
  expect(await page.getByTestId('tab-terminal').allTextContents()).toEqual(['master1', 'worker1', 'worker2']);
  expect(await page.getByTestId('service-node').count()).toBe(2);
  expect(faults).toEqual([]);
});

browserTest('what is typed into a terminal reaches the shell, and its answer is shown', async () => {
  await using screen = await openScreen();
  await screen.type('kubectl get nodes');
  await vi.waitFor(async () => expect(await screen.terminalText()).toContain('worker2   Ready'));
  expect(screen.faults).toEqual([]);
});

browserTest('Chinese goes in through an input method', async () => {
  await using screen = await openScreen();
  const { page } = screen;
  await page.locator('[data-terminal-id="terminal-1"] .xterm-helper-textarea').focus();
  await page.keyboard.type('echo ');
  const session = await page.context().newCDPSession(page);
  for (const text of ['n', 'ni', 'ni h', 'ni hao']) {
    await session.send('Input.imeSetComposition', {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    });
  }
  await session.send('Input.insertText', { text: '你好' });
  await vi.waitFor(async () => expect(await screen.terminalText()).toMatch(/# echo 你好$/));
});

browserTest('a selection is copied, and Ctrl+Shift+V pastes', async () => {
  await using screen = await openScreen();
  const { page } = screen;
  await screen.type('kubectl get nodes');
  await vi.waitFor(async () => expect(await screen.terminalText()).toContain('worker2   Ready'));
  const text = page.locator('[data-terminal-id="terminal-1"] .xterm-screen');
  await text.dblclick({ position: { x: 20, y: 45 } });
  await vi.waitFor(async () =>
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('master1'),
  );
  await page.keyboard.press('Control+Shift+V');
  await vi.waitFor(async () => expect(await screen.terminalText()).toMatch(/# master1$/));
});

browserTest('a terminal is searched with Ctrl+Shift+F', async () => {
  await using screen = await openScreen();
  const { page } = screen;
  await screen.type('kubectl get nodes');
  await vi.waitFor(async () => expect(await screen.terminalText()).toContain('worker2   Ready'));
  await page.keyboard.press('Control+Shift+F');
  await page.getByRole('search').waitFor();
  await page.keyboard.type('worker2');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Escape');
  await page.getByRole('search').waitFor({ state: 'detached' });
  await page.keyboard.type('x');
  await vi.waitFor(async () => expect(await screen.terminalText()).toMatch(/# x$/));
});

browserTest('escape sequences of a program neither open windows nor reach the clipboard', async () => {
  await using screen = await openScreen();
  const { page, bridge } = screen;
  await page.evaluate(() => navigator.clipboard.writeText('mine'));
  const output = (data: string): void => bridge.emit('terminal.output', { terminalId: 'terminal-1', data });
  output('\x1b]52;c;ZXZpbA==\x07\x1b]8;;https://example.com/\x07link\x1b]8;;\x07 done');
  await vi.waitFor(async () => expect(await screen.terminalText()).toContain('link done'));
  const before = page.url();
  await page.locator('[data-terminal-id="terminal-1"] .xterm-screen').click({ position: { x: 165, y: 8 } });
  await page.getByText('Copied https://example.com/').waitFor();
  expect(page.context().pages()).toHaveLength(1);
  expect(page.url()).toBe(before);
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe('https://example.com/');
});

browserTest('a block types itself into the terminal of its machine', async () => {
  await using screen = await openScreen();
  await screen.page.getByTestId('type-for-me').nth(1).click();
  await vi.waitFor(async () => expect(await screen.terminalText()).toContain('kubectl apply -f'));
});

browserTest('a file of the guide is written by a here document', async () => {
  await using screen = await openScreen();
  await screen.page.getByTestId('write-file').first().click();
  await vi.waitFor(async () => {
    const text = await screen.terminalText();
    expect(text).toContain("cat > /root/sessionAffinity.yaml <<'EOF'");
    expect(text).toMatch(/\sEOF\s/);
  });
});

browserTest('vim edits, warns of what is not written, writes and leaves', async () => {
  await using screen = await openScreen();
  const { page, bridge } = screen;
  await screen.type('vim notes.yaml');
  await page.getByTestId('editor').waitFor();
  await page.keyboard.type('ia: 1');
  await page.keyboard.press('Escape');
  await page.keyboard.type(':q\n');
  await page.getByText('E37: No write since last change').waitFor();
  await page.keyboard.type(':w\n');
  await page.getByText('"notes.yaml" [New] 1L, 5B written').waitFor();
  expect(bridge.files.get('/root/notes.yaml')).toBe('a: 1\n');
  await page.keyboard.type('oλ: 二');
  await page.keyboard.press('Escape');
  await page.keyboard.type(':wq\n');
  await page.getByTestId('editor').waitFor({ state: 'detached' });
  expect(bridge.files.get('/root/notes.yaml')).toBe('a: 1\nλ: 二\n');
  expect(bridge.calls.at(-1)).toMatchObject({ name: 'editor.close', request: { exitCode: 0 } });
  // The keyboard is the shell's again.
  await page.keyboard.type('ls');
  await vi.waitFor(async () => expect(await screen.terminalText()).toMatch(/# ls$/));
  expect(screen.faults).toEqual([]);
});

browserTest('vim takes indentation as it is typed, unless autoindent is set', async () => {
  await using screen = await openScreen();
  const { page, bridge } = screen;
  await screen.type('vim a.yaml');
  await page.getByTestId('editor').waitFor();
  await page.keyboard.type('ia:\n  b:\n    c: 1');
  await page.keyboard.press('Escape');
  await page.keyboard.type(':set ai\n');
  await page.keyboard.type('od: 2');
  await page.keyboard.press('Escape');
  await page.keyboard.type(':x\n');
  await page.getByTestId('editor').waitFor({ state: 'detached' });
  expect(bridge.files.get('/root/a.yaml')).toBe('a:\n  b:\n    c: 1\n    d: 2\n');
});

browserTest('vim leaves with :q! and :cq as vim does', async () => {
  await using screen = await openScreen();
  const { page, bridge } = screen;
  for (const [command, exitCode] of [
    [':q!\n', 0],
    [':cq\n', 1],
    ['ZZ', 0],
  ] as const) {
    await screen.type('vim web.yaml');
    await page.getByTestId('editor').waitFor();
    await page.keyboard.type(command);
    await page.getByTestId('editor').waitFor({ state: 'detached' });
    const closes = bridge.calls.filter(({ name }) => name === 'editor.close');
    expect(closes.at(-1)?.request).toMatchObject({ exitCode });
  }
});

browserTest('nano asks before it leaves, and writes', async () => {
  await using screen = await openScreen();
  const { page, bridge } = screen;
  await screen.type('nano motd');
  await page.getByTestId('editor').waitFor();
  await page.keyboard.type('hello');
  await page.keyboard.press('Control+x');
  await page.keyboard.press('y');
  await page.keyboard.press('Enter');
  await page.getByTestId('editor').waitFor({ state: 'detached' });
  expect(bridge.files.get('/root/motd')).toBe('hello\n');
});

browserTest('a check that fails says why, and turns green when it holds', async () => {
  await using screen = await openScreen();
  const { page } = screen;
  await page.getByTestId('check').click();
  await page.locator('[data-check-id="service"][data-status="failed"]').waitFor();
  await page.getByText('Service nginx-svc does not exist yet.').waitFor();
  await page.getByTestId('check').click();
  await page.locator('[data-check-id="service"][data-status="passed"]').waitFor();
  expect(await page.getByTestId('score').getAttribute('data-points')).toBe('3');
});

browserTest(
  'a connection that breaks is told, comes back, and the terminal shows what was missed',
  async () => {
    await using screen = await openScreen();
    const { page, host, bridge } = screen;
    host.interrupt(1012);
    await page.locator('[data-testid="connection-bar"][data-status="lost"]').waitFor();
    void bridge.call('terminal.input', { terminalId: 'terminal-1', data: 'meanwhile' });
    host.accept();
    await page.getByTestId('connection-bar').waitFor({ state: 'detached' });
    await vi.waitFor(async () => expect(await screen.terminalText()).toMatch(/# meanwhile$/));
  },
);

browserTest('a page that the host does not know says so, and does not try for ever', async () => {
  await using screen = await openScreen();
  screen.host.interrupt(4401);
  await screen.page.locator('[data-testid="connection-bar"][data-status="refused"]').waitFor();
});

browserTest('an open editor is there again after the page was loaded anew', async () => {
  await using screen = await openScreen();
  await screen.type('vim web.yaml');
  await screen.page.getByTestId('editor').waitFor();
  await screen.page.reload();
  await screen.page.getByTestId('editor').waitFor();
  expect(await screen.page.getByTestId('editor').getAttribute('data-path')).toBe('/root/web.yaml');
});

browserTest('language and theme change at once', async () => {
  await using screen = await openScreen();
  const { page } = screen;
  await page.getByTestId('language-zh').click();
  await page.getByRole('button', { name: '检查', exact: true }).waitFor();
  expect(await page.getAttribute('html', 'lang')).toBe('zh-CN');
  await page.getByTestId('settings').click();
  await page.getByTestId('theme-dark').click();
  await page.locator('html[data-theme="dark"]').waitFor();
});

browserTest(
  'a terminal is opened from the menu, closed by its tab, and panes are gone round with F6',
  async () => {
    await using screen = await openScreen();
    const { page } = screen;
    await page.getByTestId('new-terminal').click();
    await page.getByTestId('new-terminal-client').click();
    await page.locator('[data-testid="terminal"][data-machine="client"]').waitFor();
    const inTerminal = (): Promise<boolean> =>
      page.evaluate(() => document.activeElement?.closest('[data-machine="client"]') != null);
    await vi.waitFor(async () => expect(await inTerminal()).toBe(true));
    await page.keyboard.press('F6');
    expect(await inTerminal()).toBe(false);
    await page.keyboard.press('Shift+F6');
    expect(await inTerminal()).toBe(true);
    await page.getByRole('button', { name: 'Close client' }).click();
    await page.locator('[data-testid="terminal"][data-machine="client"]').waitFor({ state: 'detached' });
  },
);

browserTest('the arrangement of panes is remembered', async () => {
  await using screen = await openScreen();
  const { page, bridge } = screen;
  const width = async (): Promise<number> => (await page.getByTestId('guide').boundingBox())!.width;
  const before = await width();
  const sash = await page.locator('.dv-sash-container > .dv-sash').first().boundingBox();
  await page.mouse.move(sash!.x + sash!.width / 2, 400);
  await page.mouse.down();
  await page.mouse.move(sash!.x + 120, 400, { steps: 5 });
  await page.mouse.up();
  const after = await width();
  expect(after).toBeGreaterThan(before + 60);
  await vi.waitFor(() => expect(bridge.calls.some(({ name }) => name === 'settings.update')).toBe(true));
  await page.reload();
  await page.getByTestId('guide').waitFor();
  await vi.waitFor(async () => expect(Math.abs((await width()) - after)).toBeLessThan(3));
});
