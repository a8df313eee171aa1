// Starts the user interface in the page's #root. What all is styled with comes first, so that features may refine it.
import '@xterm/xterm/css/xterm.css';
import './design/tokens.css';
import './design/base.css';
import './design/controls.css';
import './shell/shell.css';

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { I18nextProvider } from 'react-i18next';

import { App } from './App.tsx';
import { connectBridge } from './bridge.ts';
import { hostLanguage, makeI18n } from './i18n/index.ts';
import { makeStore, StoreProvider } from './state/index.ts';
import { offerTerminalProbe, TerminalViews, TerminalViewsProvider } from './terminal/index.ts';

const bridge = connectBridge();
const store = makeStore(bridge);
const i18n = await makeI18n(hostLanguage(navigator.languages));

const { terminalFontSize } = store.getState().settings;
const views = new TerminalViews({
  bridge,
  store,
  look: { theme: 'light', fontSize: terminalFontSize, screenReader: store.getState().screenReader },
  // The address belongs to the virtual network: the host's browser could only find something else there.
  onLink: (link) => {
    void navigator.clipboard.writeText(link).catch(() => undefined); // Refused: the notice still names it.
    store.getState().tell('info', i18n.t('terminal.linkCopied', { link }));
  },
});
offerTerminalProbe(views, () => store.getState().terminals);

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <I18nextProvider i18n={i18n}>
      <StoreProvider store={store}>
        <TerminalViewsProvider views={views}>
          <App views={views} />
        </TerminalViewsProvider>
      </StoreProvider>
    </I18nextProvider>
  </StrictMode>,
);
