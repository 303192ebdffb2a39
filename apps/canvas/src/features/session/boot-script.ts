/** Where a browser keeps the theme it chose; absent means "as the system". */
export const THEME_KEY = "molecule.theme";

/** tRPC's address on our own origin. */
export const TRPC_PATH = "/trpc";

declare global {
  interface Window {
    /** The answer to the snapshot request that the page's first script sent; taken once. */
    __moleculeSnapshot?: Promise<Response> | undefined;
  }
}

/**
 * Runs before the first paint, as text in the page's head: sets the theme so that nothing flashes, and
 * sends the snapshot request while the bundle is still loading.
 */
export const BOOT_SCRIPT = `(function(){try{var t=localStorage.getItem("${THEME_KEY}");var d=t==="dark"||(t!=="light"&&matchMedia("(prefers-color-scheme: dark)").matches);document.documentElement.dataset.theme=d?"dark":"light"}catch(e){document.documentElement.dataset.theme="dark"}
window.__moleculeSnapshot=fetch("${TRPC_PATH}/canvas.snapshot",{credentials:"same-origin"});window.__moleculeSnapshot.catch(function(){})})()`;
