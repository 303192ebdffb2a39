import { fileURLToPath } from "node:url";
import type { NextConfig } from "next";

const config: NextConfig = {
  output: "export",
  reactStrictMode: true,
  poweredByHeader: false,
  transpilePackages: ["@molecule/contracts", "@molecule/domain", "geist"],
  // Types are held by `npm run check`; whoever starts the platform should not wait for them again.
  typescript: { ignoreBuildErrors: true },
  images: { unoptimized: true },
  turbopack: { root: fileURLToPath(new URL("../../", import.meta.url)) },
};

export default config;
