// Says that the connection is lost, and when it is tried again.
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../design/index.ts';
import { useApp, useStore } from '../state/index.ts';

export function ConnectionBar() {
  const { t } = useTranslation();
  const { status, retryAtMs } = useApp((store) => store.connection);
  const { retryConnection } = useStore().getState();
  const [nowMs, setNowMs] = useState(() => Date.now());
  useEffect(() => {
    if (status !== 'lost') return;
    const timer = setInterval(() => setNowMs(Date.now()), 500);
    return () => clearInterval(timer);
  }, [status]);
  if (status === 'connected' || status === 'connecting') return null;
  const seconds = Math.ceil(((retryAtMs ?? 0) - nowMs) / 1000);
  return (
    <div className="connection-bar" role="alert" data-testid="connection-bar" data-status={status}>
      <Icon name="warning" />
      <span>
        {status === 'refused'
          ? t('connection.refused')
          : seconds > 1
            ? t('connection.lostFor', { seconds })
            : t('connection.lost')}
      </span>
      {status === 'lost' && (
        <button className="button" onClick={retryConnection}>
          {t('connection.retry')}
        </button>
      )}
    </div>
  );
}
