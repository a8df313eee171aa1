// Stands in for the `electron` module: runs the built app in this process with Chromium in the place of Electron's own.
// It can't prove context isolation, the sandbox or fuses: tests assert the options that ask for them.
import { EventEmitter } from 'node:events';
import { registerHooks } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { constants, runInThisContext } from 'node:vm';
import type { Browser, BrowserContext, Frame, Page } from 'playwright-core';

import { launchChromium } from '../chromium.ts';
import {
  BrowserWindow,
  type Invoke,
  type InvokeEvent,
  type ProtocolHandler,
  type WebContents,
  type WindowOptions,
} from './window.ts';

const MAIN = path.join(import.meta.dirname, '../../../out/main/index.js');
const GLOBAL = 'drydockElectronStandIns';
const NAMES = ['app', 'BrowserWindow', 'dialog', 'ipcMain', 'Menu', 'protocol', 'session'];

/** Node's own import: the test runner's would transform the built app. */
const nativeImport = runInThisContext('(url) => import(url)', {
  importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
}) as (url: string) => Promise<unknown>;

type IpcHandler = (event: InvokeEvent, ...args: unknown[]) => unknown;
type PermissionRequestHandler = (
  contents: WebContents,
  permission: string,
  decide: (granted: boolean) => void,
) => void;
type PermissionCheckHandler = (contents: WebContents | null, permission: string) => boolean;

export interface MenuItem {
  readonly label?: string;
  readonly role?: string;
  readonly click?: () => void;
  readonly submenu?: readonly MenuItem[];
}

export interface StandInOptions {
  /** What app.getPath('userData') says. */
  readonly userData: string;
  readonly locale?: string;
  /** Another instance runs already. */
  readonly lockTaken?: boolean;
  /** Pages of other sites, by address. */
  readonly sites?: Readonly<Record<string, string>>;
}

const running = new Map<string, Record<string, unknown>>();
(globalThis as Record<string, unknown>)[GLOBAL] = running;
let lastRun = 0;

registerHooks({
  resolve(specifier, context, next) {
    const run =
      context.parentURL === undefined ? null : URL.parse(context.parentURL)?.searchParams.get('run');
    if (specifier !== 'electron' || run == null) return next(specifier, context);
    return { url: `stand-in:electron?run=${run}`, shortCircuit: true };
  },
  load(url, context, next) {
    if (!url.startsWith('stand-in:electron')) return next(url, context);
    const run = new URL(url).searchParams.get('run');
    const source = `export const { ${NAMES.join(', ')} } = globalThis.${GLOBAL}.get('${run}');`;
    return { format: 'module', source, shortCircuit: true };
  },
});

class App extends EventEmitter {
  readonly name = 'Drydock';
  isSandboxed = false;
  isQuitting = false;
  isReady = false;
  readonly exited: Promise<number>;
  private readonly options: StandInOptions;
  private readonly ready: Promise<unknown>;
  private readonly closeWindows: () => void;
  private settleExit: (code: number) => void = () => undefined;

  constructor(options: StandInOptions, ready: Promise<unknown>, closeWindows: () => void) {
    super();
    this.options = options;
    this.ready = ready;
    this.closeWindows = closeWindows;
    this.exited = new Promise((resolve) => (this.settleExit = resolve));
  }

  readonly setAboutPanelOptions = (): void => undefined;
  readonly showAboutPanel = (): void => undefined;
  readonly getLocale = (): string => this.options.locale ?? 'en-US';
  readonly requestSingleInstanceLock = (): boolean => this.options.lockTaken !== true;

  enableSandbox(): void {
    if (this.isReady) throw new Error('app.enableSandbox() can only be called before app is ready');
    this.isSandboxed = true;
  }

  getPath(name: string): string {
    if (name !== 'userData') throw new Error(`Failed to get '${name}' path`);
    return this.options.userData;
  }

  async whenReady(): Promise<void> {
    await this.ready;
    this.isReady = true;
  }

  quit(): void {
    let prevented = false;
    this.emit('before-quit', { preventDefault: () => (prevented = true) });
    if (prevented) return;
    this.isQuitting = true;
    this.closeWindows();
    this.exit(0);
  }

  exit(code = 0): void {
    this.settleExit(code);
  }
}

/** One run of the app: what it did with Electron, for tests to see. */
export class ElectronStandIn implements AsyncDisposable {
  readonly app: App;
  readonly windows: BrowserWindow[] = [];
  /** Sentences that dialogs showed. */
  readonly dialogs: string[] = [];
  readonly privileges: unknown[] = [];
  readonly ipcChannels = new Map<string, IpcHandler>();
  menu: readonly MenuItem[] = [];
  permissionRequestHandler: PermissionRequestHandler | undefined;
  permissionCheckHandler: PermissionCheckHandler | undefined;
  private readonly options: StandInOptions;
  private browser: Browser | undefined;
  private context: BrowserContext | undefined;
  private firstPage: Page | undefined;
  private protocolHandler: ProtocolHandler | undefined;

  private constructor(options: StandInOptions) {
    this.options = options;
    this.app = new App(options, this.launch(), () => this.windows.forEach((window) => window.close()));
  }

  /** Runs the built app until its main script is done. */
  static async start(options: StandInOptions): Promise<ElectronStandIn> {
    const standIn = new ElectronStandIn(options);
    const run = `${++lastRun}`;
    running.set(run, standIn.module());
    await nativeImport(`${pathToFileURL(MAIN).href}?run=${run}`);
    return standIn;
  }

  get page(): Page {
    return this.windows[0]!.webContents.page;
  }

  /** A call over IPC as a frame makes it; null is a frame that is gone. */
  invokeFrom(frame: Frame | null, channel: string, ...args: unknown[]): Promise<unknown> {
    return this.windows[0]!.webContents.invokeFrom(frame, channel, ...args);
  }

  /** Quits as the person does, and settles with the exit status. */
  async quit(): Promise<number> {
    this.app.quit();
    return this.app.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.windows.length > 0) await this.quit();
    await this.browser?.close();
  }

  private async launch(): Promise<void> {
    this.browser = await launchChromium();
    this.context = await this.browser.newContext({
      viewport: { width: 1280, height: 800 },
      ignoreHTTPSErrors: true,
    });
    this.firstPage = await this.context.newPage();
  }

  private module(): Record<string, unknown> {
    const { app, ipcChannels } = this;
    const makeWindow = (options: WindowOptions): BrowserWindow => this.makeWindow(options);
    return {
      app,
      BrowserWindow: function BrowserWindowStandIn(options: WindowOptions) {
        return makeWindow(options);
      },
      dialog: { showErrorBox: (_title: string, content: string) => this.dialogs.push(content) },
      ipcMain: {
        handle(channel: string, handler: IpcHandler): void {
          if (ipcChannels.has(channel))
            throw new Error(`Attempted to register a second handler for '${channel}'`);
          ipcChannels.set(channel, handler);
        },
      },
      Menu: {
        buildFromTemplate: (template: readonly MenuItem[]) => template,
        setApplicationMenu: (menu: readonly MenuItem[]) => (this.menu = menu),
      },
      protocol: {
        registerSchemesAsPrivileged: (schemes: readonly unknown[]): void => {
          if (app.isReady)
            throw new Error('protocol.registerSchemesAsPrivileged should be called before app is ready');
          this.privileges.push(...schemes);
        },
        handle: (_scheme: string, handler: ProtocolHandler): void => {
          if (!app.isReady) throw new Error('protocol.handle should be called after app is ready');
          this.protocolHandler = handler;
        },
      },
      session: {
        defaultSession: {
          setPermissionRequestHandler: (handler: PermissionRequestHandler) =>
            (this.permissionRequestHandler = handler),
          setPermissionCheckHandler: (handler: PermissionCheckHandler) =>
            (this.permissionCheckHandler = handler),
        },
      },
    };
  }

  private makeWindow(options: WindowOptions): BrowserWindow {
    const invoke: Invoke = async (event, channel, args) => {
      const handler = this.ipcChannels.get(channel);
      if (handler === undefined) throw new Error(`No handler registered for '${channel}'`);
      return handler(event, ...args);
    };
    const window = new BrowserWindow(
      {
        context: this.context!,
        page: this.firstPage!,
        sites: new Map(Object.entries(this.options.sites ?? {})),
        invoke,
        protocolHandler: () => this.protocolHandler,
        onContents: (contents) => this.app.emit('web-contents-created', {}, contents),
      },
      options,
    );
    this.windows.push(window);
    return window;
  }
}
