// The steps as a row of segments: which are passed, which is shown; a click goes there.
import { useTranslation } from 'react-i18next';

import type { LabState } from '../../preload/contract.ts';
import { useLocalized } from '../state/index.ts';

export function StepTrack({ lab, onGo }: { lab: LabState; onGo: (step: number) => void }) {
  const { t } = useTranslation();
  const localized = useLocalized();
  return (
    <nav aria-label={t('guide.steps')}>
      <ol className="step-track">
        {lab.steps.map((step, index) => {
          const words = { step: index + 1, title: localized(step.title) };
          const label = step.passed ? t('guide.stepPassed', words) : t('guide.stepOpen', words);
          return (
            <li key={step.title.en}>
              <button
                className={step.passed ? 'is-passed' : undefined}
                aria-current={index === lab.currentStep ? 'step' : undefined}
                aria-label={label}
                title={label}
                data-testid={`step-${index}`}
                data-passed={step.passed}
                onClick={() => onGo(index)}
              />
            </li>
          );
        })}
      </ol>
    </nav>
  );
}
