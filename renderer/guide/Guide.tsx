// The guide's pane: progress over the steps, the step that is shown, and the way back and forth.
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';

import type { LabState } from '../../preload/contract.ts';
import { Icon } from '../design/index.ts';
import { useApp, useLocalized, useStore } from '../state/index.ts';
import { Checks } from './Checks.tsx';
import { GuideMenu } from './GuideMenu.tsx';
import { Hints } from './Hints.tsx';
import { Markdown } from './Markdown.tsx';
import { StepTrack } from './StepTrack.tsx';
import './guide.css';

export function Guide() {
  const { t } = useTranslation();
  const lab = useApp((store) => store.lab);
  return (
    <section className="guide" aria-label={t('guide.region')} data-testid="guide">
      {lab === undefined ? <p className="guide-empty">{t('guide.noLab')}</p> : <LabGuide lab={lab} />}
    </section>
  );
}

function LabGuide({ lab }: { lab: LabState }) {
  const { t } = useTranslation();
  const localized = useLocalized();
  const goToStep = useApp((store) => store.goToStep);
  const page = useRef<HTMLDivElement>(null);
  const index = lab.currentStep;
  const step = lab.steps[index];
  useEffect(() => {
    page.current?.scrollTo({ top: 0 });
  }, [lab.id, index]);
  if (step === undefined) return null;
  return (
    <>
      <header className="guide-head">
        <StepTrack lab={lab} onGo={goToStep} />
        <div className="guide-title">
          <div>
            <p className="eyebrow">
              {t('guide.stepOf', { step: index + 1, total: lab.steps.length })}
              {step.passed && (
                <span className="passed-mark">
                  <Icon name="check" />
                  {t('guide.passed')}
                </span>
              )}
            </p>
            <h1 data-testid="step-title">{localized(step.title)}</h1>
          </div>
          <GuideMenu lab={lab} />
        </div>
      </header>
      <div className="guide-page" ref={page} tabIndex={-1}>
        {index === 0 && lab.aims.length > 0 && (
          <section className="aims">
            <h2>{t('guide.aims')}</h2>
            <ul>
              {lab.aims.map((aim) => (
                <li key={aim.en}>{localized(aim)}</li>
              ))}
            </ul>
          </section>
        )}
        <Markdown text={localized(step.text)} />
        {step.hints.length > 0 && <Hints step={index} hints={step.hints} disabled={lab.busy !== undefined} />}
        <Checks checks={step.checks} checking={lab.busy === 'checking'} />
        {lab.steps.every(({ passed }) => passed) && (
          <section className="lab-done" data-testid="lab-done">
            <h2>{t('guide.doneTitle')}</h2>
            <p>{t('guide.doneText', { points: lab.points, max: lab.pointsMax })}</p>
          </section>
        )}
      </div>
      <GuideFoot lab={lab} />
    </>
  );
}

function GuideFoot({ lab }: { lab: LabState }) {
  const { t } = useTranslation();
  const { goToStep, checkStep } = useStore().getState();
  const index = lab.currentStep;
  const isLast = index + 1 >= lab.steps.length;
  const passed = lab.steps[index]?.passed === true;
  return (
    <footer className="guide-foot">
      <button
        className="button"
        disabled={index === 0}
        onClick={() => goToStep(index - 1)}
        data-testid="previous-step"
      >
        <Icon name="back" />
        {t('guide.previous')}
      </button>
      <button
        className={passed ? 'button' : 'button button-primary'}
        disabled={lab.busy !== undefined}
        onClick={() => void checkStep(index)}
        data-testid="check"
      >
        {lab.busy === 'checking' ? <span className="spinner" aria-hidden="true" /> : <Icon name="check" />}
        {lab.busy === 'checking' ? t('guide.checking') : t('guide.check')}
      </button>
      <button
        className={passed && !isLast ? 'button button-primary' : 'button'}
        disabled={isLast}
        onClick={() => goToStep(index + 1)}
        data-testid="next-step"
      >
        {t('guide.next')}
        <Icon name="forward" />
      </button>
    </footer>
  );
}
