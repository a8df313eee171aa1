// One lab on the shelf.
import { useTranslation } from 'react-i18next';

import type { LabSummary } from '../../preload/contract.ts';
import { Icon } from '../design/index.ts';
import { useApp, useLocalized, useStore } from '../state/index.ts';

export function LabCard({ lab }: { lab: LabSummary }) {
  const { t } = useTranslation();
  const localized = useLocalized();
  const openingLab = useApp((store) => store.openingLab);
  const { openLab } = useStore().getState();
  const { started, stepsPassed, points } = lab.progress;
  const done = stepsPassed === lab.stepCount;
  const opening = openingLab === lab.id;
  const title = localized(lab.title);
  return (
    <article className="lab-card" data-testid="lab-card" data-lab-id={lab.id}>
      <div className="lab-card-tags">
        <span className={`chip level-${lab.level}`}>{t(`shelf.${lab.level}`)}</span>
        <span className="lab-card-minutes">
          <Icon name="clock" />
          {t('shelf.minutes', { minutes: lab.minutes })}
        </span>
        {done && (
          <span className="passed-mark">
            <Icon name="check" />
            {t('shelf.done')}
          </span>
        )}
      </div>
      <h3>{title}</h3>
      <p>{localized(lab.summary)}</p>
      <div
        className="lab-card-progress"
        role="progressbar"
        aria-label={t('shelf.progress', { title })}
        aria-valuemin={0}
        aria-valuemax={lab.stepCount}
        aria-valuenow={stepsPassed}
      >
        {Array.from({ length: lab.stepCount }, (_, index) => (
          <span key={index} className={index < stepsPassed ? 'is-passed' : undefined} />
        ))}
      </div>
      <footer>
        <div className="lab-card-facts">
          <span>
            {started
              ? t('shelf.steps', { passed: stepsPassed, total: lab.stepCount })
              : t('shelf.stepsTotal', { total: lab.stepCount })}
          </span>
          <span>
            {started
              ? t('shelf.points', { points, max: lab.pointsMax })
              : t('shelf.pointsMax', { max: lab.pointsMax })}
          </span>
        </div>
        <button
          className={started ? 'button' : 'button button-primary'}
          disabled={openingLab !== undefined}
          data-testid="open-lab"
          onClick={() => void openLab(lab.id)}
        >
          {opening ? <span className="spinner" aria-hidden="true" /> : <Icon name="play" />}
          {opening
            ? t('shelf.opening')
            : done
              ? t('shelf.again')
              : started
                ? t('shelf.resume')
                : t('shelf.start')}
        </button>
      </footer>
    </article>
  );
}
