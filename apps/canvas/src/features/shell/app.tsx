"use client";
import { ApiProvider } from "../../trpc/client.tsx";
import { Toaster } from "../../ui/toaster.tsx";
import { TooltipProvider } from "../../ui/tooltip.tsx";
import { ClockProvider } from "../clock/clock.tsx";
import { PanelProvider } from "../panel/state/panel-provider.tsx";
import { ConnectionProvider } from "../session/connection.tsx";
import { NodeStoreProvider } from "../store/node-store.tsx";
import { UiStoreProvider } from "../store/ui-store.tsx";
import { Screen } from "./screen.tsx";

/** The whole application, inside everything it needs. */
export function App() {
  return (
    <ApiProvider>
      <ClockProvider>
        <NodeStoreProvider>
          <UiStoreProvider>
            <TooltipProvider>
              <ConnectionProvider>
                <PanelProvider>
                  <Screen />
                </PanelProvider>
              </ConnectionProvider>
              <Toaster />
            </TooltipProvider>
          </UiStoreProvider>
        </NodeStoreProvider>
      </ClockProvider>
    </ApiProvider>
  );
}
