// Where Drydock keeps its workspace when nobody says otherwise, by each system's habit.
import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const WORKSPACE_FILE = 'workspace.drydock';

/** The user's folder for Drydock: XDG on Linux, Application Support on macOS, AppData on Windows. */
export function defaultDataFolder(): string {
  const { env, platform } = process;
  if (platform === 'win32')
    return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'Drydock');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'Drydock');
  return join(env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'drydock');
}

/** Makes a data folder, readable by its owner only, and tells the path of its workspace file. Throws the host's error. */
export function workspaceIn(folder: string): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return join(folder, WORKSPACE_FILE);
}
