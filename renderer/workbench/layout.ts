// The arrangement of panes: the one at first, the one that was saved, and keeping terminals in step with either.
import type { DockviewApi, SerializedDockview } from 'dockview-react';

import type { TerminalInfo } from '../../preload/contract.ts';

/** Ids of the panes that are always there; terminals use their own ids. */
export const GUIDE = 'guide';
export const TOPOLOGY = 'topology';

/** Parts of the window at first. */
const GUIDE_WIDTH = 0.34;
const TOPOLOGY_HEIGHT = 0.42;

/** Rises when panes get another meaning: an arrangement from before is not brought back. */
const VERSION = 1;

interface SavedLayout {
  readonly version: number;
  readonly dock: SerializedDockview;
}

export interface PaneTitles {
  readonly guide: string;
  readonly topology: string;
}

export function arrangeAtFirst(api: DockviewApi, titles: PaneTitles): void {
  api.clear();
  const { width, height } = api;
  api.addPanel({
    id: GUIDE,
    component: 'guide',
    tabComponent: 'plain',
    title: titles.guide,
    minimumWidth: 280,
  });
  const topology = api.addPanel({
    id: TOPOLOGY,
    component: 'topology',
    tabComponent: 'plain',
    title: titles.topology,
    position: { referencePanel: GUIDE, direction: 'right' },
    initialWidth: Math.round(width * (1 - GUIDE_WIDTH)),
    minimumHeight: 120,
  });
  topology.api.setSize({ width: Math.round(width * (1 - GUIDE_WIDTH)), height });
}

/** Brings back what `saveLayout` made; false when there is nothing that fits. */
export function bringBackLayout(api: DockviewApi, saved: string | undefined, titles: PaneTitles): boolean {
  if (saved === undefined) return false;
  try {
    const { version, dock } = JSON.parse(saved) as SavedLayout;
    if (version !== VERSION) return false;
    api.fromJSON(dock);
  } catch {
    return false; // Another version of the dock wrote it: begin with the first arrangement.
  }
  api.getPanel(GUIDE)?.setTitle(titles.guide);
  api.getPanel(TOPOLOGY)?.setTitle(titles.topology);
  return api.getPanel(GUIDE) !== undefined && api.getPanel(TOPOLOGY) !== undefined;
}

export function saveLayout(api: DockviewApi): string {
  return JSON.stringify({ version: VERSION, dock: api.toJSON() } satisfies SavedLayout);
}

/** Adds a pane for each terminal that has none, and removes the panes of those that closed. */
export function syncTerminalPanes(api: DockviewApi, terminals: readonly TerminalInfo[]): void {
  const open = new Set(terminals.map(({ terminalId }) => terminalId));
  for (const panel of [...api.panels]) {
    if (isFixed(panel.id) || open.has(panel.id)) continue;
    api.removePanel(panel);
  }
  for (const { terminalId, title } of terminals) {
    const panel = api.getPanel(terminalId);
    if (panel === undefined) addTerminalPane(api, terminalId, title);
    else if (panel.title !== title) panel.setTitle(title);
  }
}

function addTerminalPane(api: DockviewApi, terminalId: string, title: string): void {
  // Beside the terminal that is in front, else beside any, else under the picture.
  const others = api.panels.filter(({ id }) => !isFixed(id));
  const neighbour = others.find(({ api: { isActive } }) => isActive) ?? others.at(-1);
  api.addPanel({
    id: terminalId,
    component: 'terminal',
    tabComponent: 'terminal',
    title,
    params: { terminalId },
    inactive: neighbour !== undefined,
    minimumHeight: 80,
    position:
      neighbour === undefined
        ? { referencePanel: TOPOLOGY, direction: 'below' }
        : { referencePanel: neighbour.id, direction: 'within' },
    ...(neighbour === undefined ? { initialHeight: Math.round(api.height * (1 - TOPOLOGY_HEIGHT)) } : {}),
  });
}

function isFixed(panelId: string): boolean {
  return panelId === GUIDE || panelId === TOPOLOGY;
}
