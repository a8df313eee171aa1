// All labs by course, with the one that was left in the middle at the top.
import { useTranslation } from 'react-i18next';

import { Icon } from '../design/index.ts';
import { useApp, useLocalized, useStore } from '../state/index.ts';
import { LabCard } from './LabCard.tsx';
import './shelf.css';

export function Shelf() {
  const { t } = useTranslation();
  const courses = useApp((store) => store.courses);
  return (
    <main className="shelf" id="content" data-testid="shelf">
      <div className="shelf-page">
        <header className="shelf-head">
          <h1>{t('shelf.title')}</h1>
          <p>{t('shelf.intro')}</p>
        </header>
        <ContinueLab />
        {courses === undefined ? (
          <p className="shelf-empty">{t('shelf.loading')}</p>
        ) : courses.length === 0 ? (
          <p className="shelf-empty">{t('shelf.empty')}</p>
        ) : (
          courses.map((course) => <CourseSection key={course.id} courseId={course.id} />)
        )}
      </div>
    </main>
  );
}

function CourseSection({ courseId }: { courseId: string }) {
  const localized = useLocalized();
  const course = useApp((store) => store.courses?.find(({ id }) => id === courseId));
  if (course === undefined) return null;
  return (
    <section className="course" aria-label={localized(course.title)}>
      <h2>{localized(course.title)}</h2>
      <ul className="lab-cards">
        {course.labs.map((lab) => (
          <li key={lab.id}>
            <LabCard lab={lab} />
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The lab that is open, one click away. */
function ContinueLab() {
  const { t } = useTranslation();
  const localized = useLocalized();
  const lab = useApp((store) => store.lab);
  const { goToWorkbench } = useStore().getState();
  if (lab === undefined) return null;
  const step = lab.steps[lab.currentStep];
  return (
    <section className="continue" aria-label={t('shelf.continue')}>
      <div>
        <p className="eyebrow">{t('shelf.continue')}</p>
        <h2>{localized(lab.title)}</h2>
        {step !== undefined && (
          <p>{t('guide.stepOpen', { step: lab.currentStep + 1, title: localized(step.title) })}</p>
        )}
      </div>
      <button className="button button-primary" data-testid="resume-lab" onClick={goToWorkbench}>
        <Icon name="play" />
        {t('shelf.resume')}
      </button>
    </section>
  );
}
