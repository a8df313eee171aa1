// The whole screen: frame, and the shelf or the workbench in it.
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { ClockBar } from './clock/index.ts';
import { useResolvedTheme } from './design/index.ts';
import { HTML_LANGUAGE } from './i18n/index.ts';
import { Shelf } from './shelf/index.ts';
import { ConnectionBar, Notices, TopBar } from './shell/index.ts';
import { useApp } from './state/index.ts';
import type { TerminalViews } from './terminal/index.ts';
import { Workbench } from './workbench/index.ts';

export function App({ views }: { views: TerminalViews }) {
  const { t, i18n } = useTranslation();
  const loaded = useApp((store) => store.loaded);
  const place = useApp((store) => store.place);
  const { language, terminalFontSize } = useApp((store) => store.settings);
  const screenReader = useApp((store) => store.screenReader);
  const theme = useResolvedTheme();

  useEffect(() => {
    document.documentElement.lang = HTML_LANGUAGE[language];
    void i18n.changeLanguage(language);
  }, [i18n, language]);
  useEffect(() => {
    document.documentElement.dataset['theme'] = theme;
    views.restyle({ theme, fontSize: terminalFontSize, screenReader });
  }, [views, theme, terminalFontSize, screenReader]);

  return (
    <>
      <a className="skip-link" href="#content">
        {t('app.skipToContent')}
      </a>
      <TopBar />
      <ConnectionBar />
      {!loaded ? (
        <main className="loading" id="content" aria-busy="true">
          {t('app.loading')}
        </main>
      ) : place === 'shelf' ? (
        <Shelf />
      ) : (
        <>
          <Workbench />
          <ClockBar />
        </>
      )}
      <Notices />
    </>
  );
}
