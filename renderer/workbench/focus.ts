// Moving the keyboard from pane to pane.
import type { DockviewApi, IDockviewPanel } from 'dockview-react';

const FOCUSABLE =
  '.cm-content, .xterm-helper-textarea, button:not([disabled]), select, input, a[href], [tabindex="0"]';

/** Gives the keyboard to what a pane is about: the editor, the shell, or the first thing that takes keys. */
export function focusPane(panel: IDockviewPanel): void {
  const { element } = panel.view.content;
  const editor = element.querySelector<HTMLElement>('.cm-content');
  (editor ?? element.querySelector<HTMLElement>(FOCUSABLE))?.focus();
}

/** Goes to the next group of panes, or the one before, round and round. */
export function cyclePanes(api: DockviewApi, step: 1 | -1): void {
  const groups = api.groups.filter((group) => group.activePanel !== undefined);
  const focused = groups.findIndex((group) => group.element.contains(document.activeElement));
  const from = focused >= 0 ? focused : groups.findIndex((group) => group === api.activeGroup);
  const panel = groups[(from + step + groups.length) % groups.length]?.activePanel;
  if (panel === undefined) return;
  panel.api.setActive();
  focusPane(panel);
}
