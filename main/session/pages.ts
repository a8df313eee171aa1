// The built screen as the doors serve it: its files by path, and the policy that holds inside its pages.
import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { rendererFolder } from './checkout.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
};

export interface Page {
  readonly type: string;
  readonly content: Buffer<ArrayBuffer>;
  /** Its name changes with its content, so that it may be kept for ever. */
  readonly immutable: boolean;
}

/** The screen's files. Only what is in the renderer's folder can be had, whatever the path. */
export class Pages {
  private readonly folder: string;
  private paths: ReadonlySet<string>;

  constructor(folder: string = rendererFolder) {
    this.folder = folder;
    this.paths = listPaths(folder);
  }

  /** False before the screen was built. */
  get built(): boolean {
    return this.paths.has('/index.html');
  }

  /** The file at a URL's path such as `/assets/index.js`; undefined for anything that isn't one of the screen's. */
  async read(path: string): Promise<Page | undefined> {
    const type = TYPES[extname(path)];
    if (type === undefined) return undefined;
    if (!this.paths.has(path)) this.paths = listPaths(this.folder); // The screen may have been built anew.
    if (!this.paths.has(path)) return undefined;
    const content = await readFile(join(this.folder, path));
    return { type, content, immutable: path.startsWith('/assets/') };
  }
}

/** What a page of the screen may do: run its own scripts, and talk to `connect` only. */
export function contentSecurityPolicy(connect: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    "font-src 'self' data:",
    `connect-src ${connect}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function listPaths(folder: string): ReadonlySet<string> {
  try {
    const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
      entry.isFile(),
    );
    return new Set(
      files.map((entry) => `/${relative(folder, join(entry.parentPath, entry.name)).split(sep).join('/')}`),
    );
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return new Set();
  }
}
