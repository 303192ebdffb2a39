/** The agent's own user on its machine; a fixed number, so that a volume fits the next machine. */
export const AGENT_USER = "molecule-agent";
export const AGENT_UID = 7100;

/**
 * What a machine runs at its first start. It holds no secret: user data can be read by whoever may
 * describe the instance. Files, settings and secrets come over SSH once the machine is up.
 */
export const BOOT_SCRIPT = `#!/bin/sh
# Molecule: makes this machine ready for one agent.
fail() { echo "molecule: $1"; exit 1; }
if ! id ${AGENT_USER} >/dev/null 2>&1; then
  useradd --uid ${AGENT_UID} --user-group --no-create-home --home-dir /home/agent --shell /usr/sbin/nologin ${AGENT_USER} || fail "the agent's user could not be made"
fi
if ! command -v node >/dev/null 2>&1; then
  (dnf install -y nodejs20 || yum install -y nodejs || { apt-get update && apt-get install -y nodejs; }) >/dev/null 2>&1
fi
command -v node >/dev/null 2>&1 || fail "Node is not installed, and could not be"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || fail "Node is older than version 20"
mkdir -p /var/lib/molecule /opt/molecule /configs /workspace /plugins /home/agent
chmod 0755 /var/lib/molecule /opt/molecule
echo "-----BEGIN SSH HOST KEY KEYS-----"
cat /etc/ssh/ssh_host_*_key.pub
echo "-----END SSH HOST KEY KEYS-----"
touch /var/lib/molecule/prepared
echo "molecule: this machine is ready"
`;
