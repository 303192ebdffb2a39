import { App } from "../../features/shell/app.tsx";

/** The one exported page; the server answers every unknown HTML request with it. */
export function generateStaticParams() {
  return [{ slug: [] }];
}

export default function Page() {
  return <App />;
}
