// Messages in a corner. What only informs goes away by itself; what went wrong stays until it is dismissed.
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';

import { Icon } from '../design/index.ts';
import { useApp, useLocalized, useStore } from '../state/index.ts';
import type { Notice } from './notice-slice.ts';

/** Wall time that a message stays, in ms. */
const INFO_MS = 6_000;

export function Notices() {
  const { t } = useTranslation();
  const notices = useApp((store) => store.notices);
  return (
    <div className="notices" role="region" aria-label={t('notices.region')} aria-live="polite">
      {notices.map((notice) => (
        <NoticeCard key={notice.id} notice={notice} />
      ))}
    </div>
  );
}

function NoticeCard({ notice }: { notice: Notice }) {
  const { t } = useTranslation();
  const localized = useLocalized();
  const { dismissNotice } = useStore().getState();
  const { id, level } = notice;
  useEffect(() => {
    if (level !== 'info') return;
    const timer = setTimeout(() => dismissNotice(id), INFO_MS);
    return () => clearTimeout(timer);
  }, [id, level, dismissNotice]);
  return (
    <div className={`notice notice-${level}`} data-testid="notice" data-level={level}>
      <Icon name={level === 'info' ? 'info' : 'warning'} />
      <p>{localized(notice.message)}</p>
      <button className="icon-button" aria-label={t('notices.dismiss')} onClick={() => dismissNotice(id)}>
        <Icon name="close" />
      </button>
    </div>
  );
}
