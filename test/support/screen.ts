// The app in a browser as a person has it: `drydock serve`, Chromium, a keyboard, and eyes for the terminals.
import type { Browser, Page } from 'playwright-core';
import { setTimeout as delay } from 'node:timers/promises';

import type { TerminalProbe } from '../../renderer/terminal/terminal-probe.ts';
import { launchChromium } from './chromium.ts';
import { Drydock } from './drydock.ts';

const WAIT_MS_MAX = 30_000;
const LOOK_EVERY_MS = 25;

export interface ScreenOptions {
  /** The data folder. */
  readonly data: string;
  readonly locale?: string;
  readonly colorScheme?: 'light' | 'dark';
  readonly viewport?: { readonly width: number; readonly height: number };
}

/** `drydock serve` on a data folder with a browser on its address. */
export class Screen implements AsyncDisposable {
  readonly host: Drydock;
  readonly page: Page;
  /** What went wrong in the page. */
  readonly faults: string[] = [];
  private readonly browser: Browser;

  private constructor(host: Drydock, browser: Browser, page: Page) {
    this.host = host;
    this.browser = browser;
    this.page = page;
    page.on('pageerror', ({ message }) => this.faults.push(message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.faults.push(message.text());
    });
  }

  static async open({ data, ...look }: ScreenOptions): Promise<Screen> {
    await using stack = new AsyncDisposableStack();
    const host = stack.use(new Drydock(['serve', '--data', data]));
    const browser = stack.adopt(await launchChromium(), (opened) => opened.close());
    const context = await browser.newContext({
      viewport: { width: 1440, height: 900 },
      locale: 'en-US',
      ...look,
    });
    const page = await context.newPage();
    const [, url] = await host.prints(/Drydock is open at (http:\S+)/);
    const screen = new Screen(host, browser, page);
    await page.goto(url!);
    stack.move();
    return screen;
  }

  /** All that a machine's first terminal shows, without colours; blanks at the ends of lines are not told. */
  text(machine: string): Promise<string> {
    return this.page.evaluate((name) => {
      const probe: TerminalProbe | undefined = window.drydockTerminals;
      const terminal = probe?.list().find((each) => each.machine === name);
      return (terminal && probe?.text(terminal.terminalId)) ?? '';
    }, machine);
  }

  /** Shows a machine's first terminal and gives it the keyboard. */
  async focus(machine: string): Promise<void> {
    await this.page.getByTestId('tab-terminal').filter({ hasText: machine }).first().click();
    const terminal = this.page.locator(`[data-testid="terminal"][data-machine="${machine}"]`).first();
    await terminal.locator('.xterm-helper-textarea').focus();
  }

  /** Types a line with the keyboard; settles with what it printed once the terminal's last line is a prompt again. */
  async type(machine: string, line: string, prompt = /^\[root@\S+ \S+\]#$/): Promise<string> {
    await this.page.keyboard.type(line);
    let text = '';
    const look = async (): Promise<string> => (text = (await this.text(machine)).trimEnd());
    await until(async () => squeeze(await look()).endsWith(squeeze(line)), look);
    const typed = text;
    await this.page.keyboard.press('Enter');
    await until(async () => prompt.test((await look()).split('\n').at(-1)!), look);
    return text.startsWith(typed) ? text.slice(typed.length) : text;
  }

  /** Ends browser and host as a person does: the page is closed, then Ctrl-C. */
  async close(): Promise<void> {
    await this.browser.close();
    const { status, stderr } = await this.host.end('SIGINT');
    const complaints = stderr.replace('drydock: Building the app …\n', '');
    if (status !== 0 || complaints !== '') throw new Error(`drydock serve ended with ${status}: ${stderr}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.browser.close();
    await this.host[Symbol.asyncDispose]();
  }
}

/** Waits for what a terminal shows. */
async function until(condition: () => Promise<boolean>, look: () => Promise<string>): Promise<void> {
  const giveUpMs = Date.now() + WAIT_MS_MAX;
  while (!(await condition())) {
    if (Date.now() > giveUpMs) throw new Error(`The terminal still shows:\n${await look()}`);
    await delay(LOOK_EVERY_MS);
  }
}

/** Without blanks and line ends: a long line is wrapped. */
function squeeze(text: string): string {
  return text.replaceAll(/\s/g, '');
}
