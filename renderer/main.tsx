// Starts the user interface in the page's #root.
import { createRoot } from 'react-dom/client';

const root = document.getElementById('root');
if (root !== null) createRoot(root).render(<h1>Drydock</h1>);
