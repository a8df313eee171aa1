// The workbench: the dock, what is said while machines start, and F6 to go round the panes.
import type { DockviewApi } from 'dockview-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { useApp } from '../state/index.ts';
import { Dock } from './Dock.tsx';
import { cyclePanes } from './focus.ts';

export function Workbench() {
  const { t } = useTranslation();
  const cluster = useApp((state) => state.cluster);
  const [api, setApi] = useState<DockviewApi>();
  useEffect(() => {
    if (api === undefined) return;
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'F6') return;
      event.preventDefault();
      cyclePanes(api, event.shiftKey ? -1 : 1);
    };
    window.addEventListener('keydown', onKeyDown, true);
    return () => window.removeEventListener('keydown', onKeyDown, true);
  }, [api]);

  return (
    <main className="workbench" id="content" aria-label={t('workbench.region')} data-testid="workbench">
      {cluster.phase === 'booting' && (
        <div className="strip" role="status">
          <span className="strip-progress" />
          {t('workbench.booting')}
        </div>
      )}
      {cluster.phase === 'failed' && (
        <div className="strip strip-error" role="alert">
          {cluster.message === undefined
            ? t('workbench.failedPlain')
            : t('workbench.failed', { message: cluster.message })}
        </div>
      )}
      <div className="workbench-dock">
        <Dock onReady={setApi} />
      </div>
    </main>
  );
}
