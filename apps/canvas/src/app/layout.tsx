import { GeistMono } from "geist/font/mono";
import { GeistSans } from "geist/font/sans";
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { BOOT_SCRIPT } from "../features/session/boot-script.ts";
import "@xyflow/react/dist/base.css";
import "./globals.css";

export const metadata: Metadata = {
  title: "Molecule",
  description: "See and steer an organisation of agents.",
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  viewportFit: "cover",
};

export default function RootLayout({ children }: Readonly<{ children: ReactNode }>) {
  return (
    <html
      lang="en"
      className={`${GeistSans.variable} ${GeistMono.variable}`}
      suppressHydrationWarning
    >
      <head>
        {/* Before first paint: the theme, and the one snapshot request, which must not wait for the bundle. */}
        {/* biome-ignore lint/security/noDangerouslySetInnerHtml: our own constant text, which must run before the bundle */}
        <script dangerouslySetInnerHTML={{ __html: BOOT_SCRIPT }} />
      </head>
      <body>{children}</body>
    </html>
  );
}
