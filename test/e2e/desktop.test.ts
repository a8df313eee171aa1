// The built desktop app on a stand-in for Electron: what it asks of Electron, and what its page can and can't do.
// The names of Electron's security checklist (electronjs.org/docs/latest/tutorial/security) are in the tests' names.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';

import type { Bridge, CallChannel, CallName } from '../../preload/contract.ts';
import { eventNames } from '../../main/session/names.ts';
import { callArguments } from '../../main/session/arguments.ts';
import { browserTest, findChromium } from '../support/chromium.ts';
import { makeTemporaryFolder, RunningUp, type TemporaryFolder } from '../support/drydock.ts';
import { ElectronStandIn, type MenuItem } from '../support/electron-stand-in/electron.ts';

const CALL_CHANNEL: CallChannel = 'drydock:call';
const EVIL = 'https://evil.test/';

let folder: TemporaryFolder;
let electron: ElectronStandIn;
beforeAll(async () => {
  if (findChromium() === undefined) return;
  folder = makeTemporaryFolder();
  electron = await ElectronStandIn.start({
    userData: path.join(folder.path, 'user'),
    sites: { [EVIL]: '<h1>evil</h1>' },
  });
  await electron.page.getByTestId('shelf').waitFor();
});
afterAll(async () => {
  await electron?.[Symbol.asyncDispose]();
  folder?.[Symbol.dispose]();
});

/** A call through the bridge that the preload script put into the page. */
function call(name: string, request: unknown): Promise<unknown> {
  return electron.page.evaluate(
    ([callName, argument]) => window.drydock!.call(callName as CallName, argument as never),
    [name, request] as const,
  );
}

browserTest(
  'the window shows the app, isolated and sandboxed, without Node (checklist 2, 3, 4)',
  async () => {
    expect(electron.windows).toHaveLength(1);
    const [window] = electron.windows;
    expect(window!.isShown).toBe(true);
    expect(window!.options).toMatchObject({
      show: false,
      webPreferences: {
        contextIsolation: true,
        sandbox: true,
        nodeIntegration: false,
        nodeIntegrationInWorker: false,
        nodeIntegrationInSubFrames: false,
      },
    });
    expect(electron.app.isSandboxed).toBe(true);
  },
);

browserTest('web security is on, and nothing experimental is (checklist 6, 8, 9, 10, 11)', async () => {
  const preferences = electron.windows[0]!.options.webPreferences!;
  expect(preferences).toMatchObject({
    webSecurity: true,
    allowRunningInsecureContent: false,
    webviewTag: false,
  });
  for (const name of [
    'experimentalFeatures',
    'enableBlinkFeatures',
    'nodeIntegrationInSubFrames',
    'disableBlinkFeatures',
  ]) {
    expect([undefined, false]).toContain(preferences[name]);
  }
});

browserTest(
  'pages come from our own scheme, standard and secure, not from file: (checklist 1, 18)',
  async () => {
    expect(electron.privileges).toEqual([
      { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
    ]);
    expect(electron.windows[0]!.webContents.mainFrame.url).toBe('app://drydock/index.html');
    const status = (target: string): Promise<number> =>
      electron.page.evaluate((address) => fetch(address).then((answer) => answer.status), target);
    for (const target of [
      '/../package.json',
      '/..%2f..%2fpackage.json',
      '/%2e%2e/%2e%2e/package.json',
      '/nothing.js',
      '/assets/',
    ]) {
      expect([target, await status(target)]).toEqual([target, 404]);
    }
    expect(await status('/index.html')).toBe(200);
  },
);

browserTest(
  'the page has the bridge, which is call and on, and nothing else of Electron or Node (checklist 20)',
  async () => {
    const found = await electron.page.evaluate(() => ({
      bridge: Object.keys(window.drydock as Bridge).sort(),
      frozen: Object.isFrozen(window.drydock),
      others: ['require', 'process', 'module', 'ipcRenderer', 'electron', 'Buffer', '__standInInvoke'].filter(
        (name) => name in window,
      ),
    }));
    expect(found).toEqual({ bridge: ['call', 'on'], frozen: true, others: [] });
  },
);

browserTest('every call of the contract is answered', async () => {
  const names = Object.keys(callArguments);
  expect(names.length).toBeGreaterThan(20);
  for (const name of names) {
    const reply = (await call(name, { nonsense: 1 })) as { ok: boolean; error?: { reason: string } };
    expect([name, reply.ok, reply.error?.reason]).toEqual([name, false, 'bad-request']);
  }
  expect(await call('app.state', {})).toMatchObject({ ok: true, value: { door: 'desktop' } });
  expect(await call('shelf.list', {})).toMatchObject({ ok: true });
  expect(await call('terminal.input', { terminalId: 'none', data: 'x' })).toMatchObject({
    ok: false,
    error: { reason: 'not-found' },
  });
});

browserTest('a call that is not in the contract is refused', async () => {
  for (const name of ['nonsense', '__proto__', 'constructor', '', null, 7, { toString: 1 }]) {
    expect(await call(name as string, {})).toEqual({
      ok: false,
      error: { reason: 'unknown-call', message: 'There is no such call.' },
    });
  }
  expect([...electron.ipcChannels.keys()]).toEqual([CALL_CHANNEL]);
});

browserTest('events reach the page until it stops listening, and only those of the contract', async () => {
  expect(eventNames).toContain('clock.changed');
  const heard = await electron.page.evaluate(async () => {
    const bridge = window.drydock!;
    const speeds: number[] = [];
    const stop = bridge.on('clock.changed', ({ speed }) => speeds.push(speed));
    await bridge.call('clock.setSpeed', { speed: 3 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    stop();
    await bridge.call('clock.setSpeed', { speed: 1 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { had3: speeds.includes(3), last: speeds.at(-1) };
  });
  expect(heard).toEqual({ had3: true, last: 3 });
});

browserTest('a sender that is not our own main frame is refused (checklist 17)', async () => {
  const { page } = electron;
  const refused = {
    ok: false,
    error: { reason: 'unknown-sender', message: 'This page may not call Drydock.' },
  };
  expect(await electron.invokeFrom(page.mainFrame(), CALL_CHANNEL, 'clock.pause', {})).toMatchObject({
    ok: true,
  });
  await electron.invokeFrom(page.mainFrame(), CALL_CHANNEL, 'clock.resume', {});
  await page.evaluate(() => document.body.append(document.createElement('iframe')));
  const frame = page.frames().find((each) => each !== page.mainFrame())!;
  expect(await electron.invokeFrom(frame, CALL_CHANNEL, 'clock.pause', {})).toEqual(refused);
  expect(await electron.invokeFrom(null, CALL_CHANNEL, 'clock.pause', {})).toEqual(refused);
  await page.evaluate(() => document.querySelector('iframe')!.remove());
  // The main frame, were it ever to show another page.
  const { webContents } = electron.windows[0]!;
  const { url } = Object.getOwnPropertyDescriptors(webContents.mainFrame);
  for (const other of [
    EVIL,
    'app://drydock.evil.test/',
    'app://other/index.html',
    'file:///etc/passwd',
    'about:blank',
    '',
  ]) {
    Object.defineProperty(webContents.mainFrame, 'url', { value: other, configurable: true });
    expect([other, await electron.invokeFrom(page.mainFrame(), CALL_CHANNEL, 'clock.pause', {})]).toEqual([
      other,
      refused,
    ]);
  }
  Object.defineProperty(webContents.mainFrame, 'url', url);
});

browserTest('the page can not be led away, nor open windows (checklist 13, 14)', async () => {
  const { page } = electron;
  for (const lead of [
    (url: string) => void (location.href = url),
    (url: string) => location.replace(url),
    (url: string) => Object.assign(document.createElement('a'), { href: url }).click(),
  ]) {
    await page.evaluate(lead, EVIL);
    await page.waitForTimeout(150);
    expect(electron.windows[0]!.webContents.mainFrame.url).toBe('app://drydock/index.html');
  }
  await page.evaluate((url) => void window.open(url), EVIL);
  await expect.poll(() => page.context().pages().length).toBe(1);
  expect(await page.getByTestId('shelf').isVisible()).toBe(true);
});

browserTest('a web view is never attached (checklist 12)', async () => {
  let prevented = false;
  electron.windows[0]!.webContents.emit('will-attach-webview', { preventDefault: () => (prevented = true) });
  expect(prevented).toBe(true);
});

browserTest('the policy keeps strange scripts out, and everything from leaving (checklist 7)', async () => {
  const { page } = electron;
  const outcome = await page.evaluate(async () => {
    const violations: string[] = [];
    document.addEventListener('securitypolicyviolation', ({ effectiveDirective }) =>
      violations.push(effectiveDirective),
    );
    const inline = document.createElement('script');
    inline.textContent = 'window.inlineRan = true';
    document.body.append(inline);
    const remote = Object.assign(document.createElement('script'), { src: 'https://evil.test/x.js' });
    document.body.append(remote);
    const button = document.createElement('div');
    button.setAttribute('onclick', 'window.handlerRan = true');
    button.click();
    const fetched = await fetch('https://evil.test/').then(
      () => 'sent',
      () => 'kept',
    );
    const frame = Object.assign(document.createElement('iframe'), { src: 'https://evil.test/' });
    document.body.append(frame);
    await new Promise((resolve) => setTimeout(resolve, 300));
    for (const each of [inline, remote, frame]) each.remove();
    return {
      violations: [...new Set(violations)].sort(),
      ran: 'inlineRan' in window || 'handlerRan' in window,
      fetched,
    };
  });
  expect(outcome.ran).toBe(false);
  expect(outcome.fetched).toBe('kept');
  expect(outcome.violations).toEqual(
    expect.arrayContaining(['connect-src', 'frame-src', 'script-src-attr', 'script-src-elem']),
  );
});

browserTest('the policy forbids eval from a script of the page itself', async () => {
  const { page } = electron;
  const answer = await page.evaluate(() =>
    fetch('/index.html').then((reply) => reply.headers.get('content-security-policy')),
  );
  expect(answer).toMatch(/^default-src 'none'; script-src 'self';/);
  expect(answer).not.toContain('unsafe-eval');
  expect(/script-src[^;]*/.exec(answer!)![0]).toBe("script-src 'self'");
});

browserTest('permissions are refused, but for writing to the clipboard (checklist 5)', async () => {
  const { webContents } = electron.windows[0]!;
  for (const permission of [
    'media',
    'geolocation',
    'notifications',
    'midi',
    'pointerLock',
    'fullscreen',
    'openExternal',
    'clipboard-read',
    'hid',
    'usb',
  ]) {
    let granted: boolean | undefined;
    electron.permissionRequestHandler!(webContents, permission, (decision) => (granted = decision));
    expect([permission, granted, electron.permissionCheckHandler!(null, permission)]).toEqual([
      permission,
      false,
      false,
    ]);
  }
  expect(electron.permissionCheckHandler!(null, 'clipboard-sanitized-write')).toBe(true);
});

browserTest('the menu moves the clock', async () => {
  const items = (menu: readonly MenuItem[]): MenuItem[] =>
    menu.flatMap((item) => [item, ...items(item.submenu ?? [])]);
  const click = (label: string): void => items(electron.menu).find((item) => item.label === label)!.click!();
  const paused = async (): Promise<boolean> =>
    ((await call('app.state', {})) as { value: { clock: { paused: boolean } } }).value.clock.paused;
  click('Pause');
  await expect.poll(paused).toBe(true);
  click('Resume');
  await expect.poll(paused).toBe(false);
  const roles = items(electron.menu).map(({ role }) => role);
  expect(roles).not.toContain('toggleDevTools');
  expect(roles).not.toContain('reload');
});

browserTest('quitting saves and lets the workspace go; starting again finds what was there', async () => {
  using own = makeTemporaryFolder();
  const userData = path.join(own.path, 'user');
  {
    await using first = await ElectronStandIn.start({ userData, locale: 'zh-CN' });
    await first.page.getByTestId('shelf').waitFor();
    expect(await first.page.getAttribute('html', 'lang')).toBe('zh-CN');
    await first.page.evaluate(() =>
      window.drydock!.call('settings.update', { theme: 'dark', terminalFontSize: 17 }),
    );
    expect(await first.quit()).toBe(0);
  }
  await using second = await ElectronStandIn.start({ userData });
  await second.page.getByTestId('shelf').waitFor();
  const state = await second.page.evaluate(() => window.drydock!.call('app.state', {}));
  expect(state).toMatchObject({ ok: true, value: { settings: { theme: 'dark', terminalFontSize: 17 } } });
});

browserTest('a second app only shows the first', async () => {
  let focused = 0;
  electron.windows[0]!.on('focus', () => focused++);
  electron.app.emit('second-instance', {});
  expect(focused).toBe(1);
  const second = await ElectronStandIn.start({ userData: path.join(folder.path, 'user'), lockTaken: true });
  expect(await second.app.exited).toBe(0);
  expect(second.windows).toEqual([]);
  await second[Symbol.asyncDispose]();
});

browserTest(
  'a workspace that is in use, or damaged, is told in a dialog, and nothing is opened',
  async () => {
    using own = makeTemporaryFolder();
    await using up = new RunningUp(own.path, ['--nodes', '1']);
    await up.ready();
    await using inUse = await ElectronStandIn.start({ userData: own.path });
    expect(await inUse.app.exited).toBe(1);
    expect(inUse.dialogs).toEqual([
      expect.stringMatching(/is open in another Drydock; close that one or choose another workspace\.$/),
    ]);
    expect(inUse.windows).toEqual([]);

    using damaged = makeTemporaryFolder();
    writeFileSync(path.join(damaged.path, 'workspace.drydock'), 'SQLite format 3\0'.padEnd(8192, 'x'));
    await using corrupt = await ElectronStandIn.start({ userData: damaged.path });
    expect(await corrupt.app.exited).toBe(1);
    expect(corrupt.dialogs).toEqual([expect.stringMatching(/is damaged and was left untouched/)]);
  },
);
