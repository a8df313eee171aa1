// BrowserWindow and its web contents: a page of real Chromium, with the preload script run in it as its first script.
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import type { BrowserContext, Frame, Page, Request as PageRequest, Route } from 'playwright-core';

/** Pages of `app://…` are shown by this origin, since Chromium knows no scheme of ours: a secure one, as ours is. */
const WEB_ORIGIN = 'https://drydock.test';
const APP_ORIGIN = 'app://drydock';

const toWeb = (url: string): string => url.replace(APP_ORIGIN, WEB_ORIGIN);
const toApp = (url: string): string => url.replace(WEB_ORIGIN, APP_ORIGIN);

export type ProtocolHandler = (request: Request) => Response | Promise<Response>;
type OpenHandler = (details: { url: string }) => { action: 'allow' | 'deny' };

/** Electron's WebFrameMain, as far as senders are told apart by it. */
interface FrameStandIn {
  readonly url: string;
}

/** What ipcMain's handlers get as their event. */
export interface InvokeEvent {
  readonly sender: WebContents;
  readonly senderFrame: FrameStandIn | null;
}

export type Invoke = (event: InvokeEvent, channel: string, args: unknown[]) => Promise<unknown>;

export interface WindowOptions {
  readonly webPreferences?: Readonly<Record<string, unknown>> & { readonly preload?: string };
  readonly [name: string]: unknown;
}

/** What a window needs of the rest of the stand-in. */
export interface WindowHost {
  readonly context: BrowserContext;
  readonly page: Page;
  /** Pages of other sites, by address. */
  readonly sites: ReadonlyMap<string, string>;
  readonly invoke: Invoke;
  readonly protocolHandler: () => ProtocolHandler | undefined;
  readonly onContents: (contents: WebContents) => void;
}

/** Runs in the page before any script of its own; takes the binding away, so that only the preload script holds it. */
const PRELOAD_SHIM = `(() => {
  const send = window.__standInInvoke;
  delete window.__standInInvoke;
  if (window !== window.top) return;
  const listeners = new Map();
  Object.defineProperty(window, '__standInReceive', {
    value: (channel, args) => (listeners.get(channel) ?? []).forEach((listener) => listener({}, ...args)),
  });
  const freeze = (value) => (Object.values(value).forEach((each) => typeof each === 'object' && each !== null && freeze(each)), Object.freeze(value));
  const electron = {
    ipcRenderer: {
      invoke: (channel, ...args) => send(channel, args),
      on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
    },
    contextBridge: {
      exposeInMainWorld: (name, api) => Object.defineProperty(window, name, { value: freeze({ ...api }), enumerable: true }),
    },
  };
  const require = (name) => {
    if (name === 'electron') return electron;
    throw new Error('module not found: ' + name);
  };
  ((require) => {
PRELOAD
  })(require);
})();`;

export class WebContents extends EventEmitter {
  readonly mainFrame: FrameStandIn;
  readonly page: Page;
  private readonly host: WindowHost;
  private readonly frames = new WeakMap<Frame, FrameStandIn>();
  private openHandler: OpenHandler = () => ({ action: 'allow' });
  private loading = false;

  constructor(host: WindowHost) {
    super();
    this.host = host;
    this.page = host.page;
    this.mainFrame = this.standInFor(this.page.mainFrame());
  }

  /** Puts the routes and the preload script in place, and then loads. */
  async load(url: string, preload: string | undefined): Promise<void> {
    const { context, page } = this.host;
    await context.exposeBinding('__standInInvoke', ({ frame }, channel: string, args: unknown[]) =>
      this.invokeFrom(frame, channel, ...args),
    );
    const script = preload === undefined ? '' : readFileSync(preload, 'utf8');
    await context.addInitScript({ content: PRELOAD_SHIM.replace('PRELOAD', () => script) });
    await context.route('**/*', (route) => this.answer(route));
    context.on('page', (opened) => void this.opened(opened));
    this.loading = true;
    await page.goto(toWeb(url));
    this.loading = false;
    this.emit('did-finish-load');
  }

  send(channel: string, ...args: unknown[]): void {
    const dispatch = this.page.evaluate(
      ([name, values]) =>
        (
          window as unknown as { __standInReceive?: (channel: string, args: unknown) => void }
        ).__standInReceive?.(name, values),
      [channel, args] as const,
    );
    dispatch.catch((error: unknown) => {
      // A page that went away or navigates hears nothing, as in Electron.
      if (!this.page.isClosed() && !/context|navigat|closed/i.test(String(error))) throw error;
    });
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }

  /** A call as a frame of the page makes it, whether or not the preload script offers it one. */
  invokeFrom(frame: Frame | null, channel: string, ...args: unknown[]): Promise<unknown> {
    const senderFrame = frame === null ? null : this.standInFor(frame);
    return this.host.invoke({ sender: this, senderFrame }, channel, args);
  }

  private standInFor(frame: Frame): FrameStandIn {
    let known = this.frames.get(frame);
    if (known === undefined) {
      known = {
        get url() {
          return toApp(frame.url());
        },
      };
      this.frames.set(frame, known);
    }
    return known;
  }

  private async answer(route: Route): Promise<void> {
    const request = route.request();
    const url = toApp(request.url());
    if (request.isNavigationRequest()) {
      const frame = frameOf(request);
      if (frame === undefined && this.openHandler({ url }).action === 'deny') return route.abort('aborted');
      const leads = frame === this.page.mainFrame() && !this.loading;
      if (leads && !this.allows('will-navigate', url)) return route.abort('aborted');
    }
    const site = this.host.sites.get(url);
    if (site !== undefined) return route.fulfill({ contentType: 'text/html', body: site });
    const handler = this.host.protocolHandler();
    if (handler === undefined || !url.startsWith('app:')) return route.abort('namenotresolved');
    const response = await handler(new Request(url, { method: request.method() }));
    await route.fulfill({
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: Buffer.from(await response.arrayBuffer()),
    });
  }

  private allows(name: string, url: string): boolean {
    let prevented = false;
    this.emit(name, { url, preventDefault: () => (prevented = true) });
    return !prevented;
  }

  private async opened(page: Page): Promise<void> {
    if (page === this.page) return;
    if (this.openHandler({ url: toApp(page.url()) }).action === 'deny') await page.close();
  }
}

/** The frame that asks; undefined for a window that is about to open and has none yet. */
function frameOf(request: PageRequest): Frame | undefined {
  try {
    return request.frame();
  } catch {
    return undefined;
  }
}

export class BrowserWindow extends EventEmitter {
  readonly webContents: WebContents;
  readonly options: WindowOptions;
  isShown = false;
  private destroyed = false;

  constructor(host: WindowHost, options: WindowOptions) {
    super();
    this.options = options;
    this.webContents = new WebContents(host);
    host.onContents(this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    await this.webContents.load(url, this.options.webPreferences?.preload);
    this.emit('ready-to-show');
  }

  show(): void {
    this.isShown = true;
  }

  focus(): void {
    this.emit('focus');
  }

  restore(): void {
    this.emit('restore');
  }

  isMinimized(): boolean {
    return false;
  }

  isDestroyed(): boolean {
    return this.destroyed;
  }

  close(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('closed');
  }
}
