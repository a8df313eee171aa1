// The dock itself: which component is in which pane, and when the arrangement is saved.
import {
  DockviewReact,
  type DockviewApi,
  type DockviewReadyEvent,
  type DockviewTheme,
  type IDockviewHeaderActionsProps,
  type IDockviewPanelHeaderProps,
  type IDockviewPanelProps,
} from 'dockview-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Guide } from '../guide/index.ts';
import { Icon } from '../design/index.ts';
import { useApp, useStore } from '../state/index.ts';
import { TerminalPane } from '../terminal/index.ts';
import { TopologyPane } from '../topology/index.ts';
import { focusPane } from './focus.ts';
import { arrangeAtFirst, bringBackLayout, GUIDE, saveLayout, syncTerminalPanes, TOPOLOGY } from './layout.ts';
import { NewTerminalMenu } from './NewTerminalMenu.tsx';

import 'dockview-react/dist/styles/dockview.css';
import './dock.css';

/** Wall time between a change of the arrangement and its saving, in ms. */
const SAVE_AFTER_MS = 600;

const THEME: DockviewTheme = {
  name: 'drydock',
  className: 'dockview-theme-drydock',
  dndTabIndicator: 'line',
};

type TerminalParams = { terminalId: string };

const COMPONENTS = { guide: Guide, topology: TopologyPane, terminal: TerminalPanel };
const TAB_COMPONENTS = { plain: PlainTab, terminal: TerminalTab };

export function Dock({ onReady }: { onReady: (api: DockviewApi) => void }) {
  const { t } = useTranslation();
  const store = useStore();
  const terminals = useApp((state) => state.terminals);
  const shown = useApp((state) => state.shownTerminal);
  const saved = useApp((state) => state.settings.layout);
  const [api, setApi] = useState<DockviewApi>();
  const lastSaved = useRef<string>(undefined);

  const titles = { guide: t('workbench.guide'), topology: t('workbench.topology') };
  const ready = ({ api: dock }: DockviewReadyEvent): void => {
    const { settings, terminals: open } = store.getState();
    if (!bringBackLayout(dock, settings.layout, titles)) arrangeAtFirst(dock, titles);
    syncTerminalPanes(dock, open);
    lastSaved.current = settings.layout;
    setApi(dock);
    onReady(dock);
  };

  useEffect(() => {
    if (api !== undefined) syncTerminalPanes(api, terminals);
  }, [api, terminals]);
  useEffect(() => {
    api?.getPanel(GUIDE)?.setTitle(titles.guide);
    api?.getPanel(TOPOLOGY)?.setTitle(titles.topology);
  }, [api, titles.guide, titles.topology]);
  useEffect(() => {
    const panel = shown === undefined ? undefined : api?.getPanel(shown.terminalId);
    if (panel === undefined) return;
    panel.api.setActive();
    focusPane(panel);
  }, [api, shown]);
  useEffect(() => {
    // Emptied in the settings: the person wants the first arrangement back.
    if (api === undefined || saved !== '' || lastSaved.current === '') return;
    lastSaved.current = '';
    arrangeAtFirst(api, titles);
    syncTerminalPanes(api, store.getState().terminals);
  });
  useEffect(() => {
    if (api === undefined) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const listening = api.onDidLayoutChange(() => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const layout = saveLayout(api);
        if (layout === lastSaved.current) return;
        lastSaved.current = layout;
        store.getState().updateSettings({ layout });
      }, SAVE_AFTER_MS);
    });
    return () => {
      clearTimeout(timer);
      listening.dispose();
    };
  }, [api, store]);

  return (
    <DockviewReact
      theme={THEME}
      components={COMPONENTS}
      tabComponents={TAB_COMPONENTS}
      leftHeaderActionsComponent={GroupActions}
      disableFloatingGroups
      onReady={ready}
    />
  );
}

function TerminalPanel({ params, api }: IDockviewPanelProps<TerminalParams>) {
  const [activations, setActivations] = useState(0);
  const shown = useApp((state) => state.shownTerminal);
  useEffect(() => {
    const listening = api.onDidActiveChange(({ isActive }) => {
      if (isActive) setActivations((count) => count + 1);
    });
    return () => listening.dispose();
  }, [api]);
  const wish = shown?.terminalId === params.terminalId ? shown.wish : 0;
  return <TerminalPane terminalId={params.terminalId} focusWish={activations + wish} />;
}

/** A pane that stays: its tab has a name and nothing to close. */
function PlainTab({ api }: IDockviewPanelHeaderProps) {
  const title = useTitle(api);
  return (
    <span className="tab" data-testid={`tab-${api.id}`}>
      <span className="tab-title">{title}</span>
    </span>
  );
}

function TerminalTab({ api, params }: IDockviewPanelHeaderProps<TerminalParams>) {
  const { t } = useTranslation();
  const title = useTitle(api);
  const closeTerminal = useApp((state) => state.closeTerminal);
  const hasEditor = useApp((state) => state.editors[params.terminalId] !== undefined);
  return (
    <span className="tab" data-testid="tab-terminal" data-terminal-id={params.terminalId}>
      <Icon name={hasEditor ? 'file' : 'terminal'} />
      <span className="tab-title">{title}</span>
      <button
        className="tab-close"
        aria-label={t('workbench.closeTerminal', { title })}
        title={t('workbench.closeTerminal', { title })}
        onPointerDown={(event) => event.stopPropagation()}
        onClick={(event) => {
          event.stopPropagation();
          closeTerminal(params.terminalId);
        }}
      >
        <Icon name="close" />
      </button>
    </span>
  );
}

/** Follows the title, which is another in another language. */
function useTitle(api: IDockviewPanelHeaderProps['api']): string {
  const [title, setTitle] = useState(api.title ?? '');
  useEffect(() => {
    const listening = api.onDidTitleChange((event) => setTitle(event.title));
    return () => listening.dispose();
  }, [api]);
  return title;
}

/** Where terminals are, another can be opened; without any, beside the picture. */
function GroupActions({ panels }: IDockviewHeaderActionsProps) {
  const none = useApp((state) => state.terminals.length === 0);
  const ids = panels.map(({ id }) => id);
  const hasTerminals = ids.some((id) => id !== GUIDE && id !== TOPOLOGY);
  return hasTerminals || (none && ids.includes(TOPOLOGY)) ? <NewTerminalMenu /> : null;
}
