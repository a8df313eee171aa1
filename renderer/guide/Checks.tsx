// What must be true for the step to pass, and how it stands.
import { useEffect, useId, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import type { CheckState } from '../../preload/contract.ts';
import { Icon } from '../design/index.ts';
import { useLocalized } from '../state/index.ts';

const STATUS_TEXT = {
  pending: 'guide.checkPending',
  passed: 'guide.checkPassed',
  failed: 'guide.checkFailed',
} as const;

export function Checks({ checks, checking }: { checks: readonly CheckState[]; checking: boolean }) {
  const { t } = useTranslation();
  const id = useId();
  const section = useRef<HTMLElement>(null);
  const asked = useRef(false);
  useEffect(() => {
    // Whoever asks wants to see the answer, which is below the text; and grows by what is missing once it is known.
    if (checking || asked.current) section.current?.scrollIntoView({ block: 'nearest' });
    asked.current = checking;
  }, [checking]);
  return (
    <section ref={section} className="checks" aria-labelledby={id} aria-busy={checking}>
      <h2 id={id}>{t('guide.checks')}</h2>
      <ul aria-live="polite">
        {checks.map((check) => (
          <Check key={check.id} check={check} />
        ))}
      </ul>
    </section>
  );
}

function Check({ check }: { check: CheckState }) {
  const { t } = useTranslation();
  const localized = useLocalized();
  const { status, message } = check;
  return (
    <li
      className={`check check-${status}`}
      data-testid="check-result"
      data-check-id={check.id}
      data-status={status}
    >
      <span className="check-mark" role="img" aria-label={t(STATUS_TEXT[status])}>
        {status === 'passed' && <Icon name="check" />}
        {status === 'failed' && <Icon name="cross" />}
      </span>
      <div className="check-text">
        <p>{localized(check.title)}</p>
        {status === 'failed' && message !== undefined && (
          <p className="check-message">{localized(message)}</p>
        )}
      </div>
      <span className="check-points">{t('guide.points', { points: check.points })}</span>
    </li>
  );
}
