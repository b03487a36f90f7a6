# Sourced: apt with a state of its own, so that this machine's packages and architectures stay as they are.
# apt_for <Debian architecture> <suite> <folder for its state>, which fills `options`.
apt_for() {
  local arch=$1 suite=$2 apt=$3 mirror
  # The mirror that this machine uses already.
  mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m1 '/debian/\?$') ||
    { echo "apt knows no Debian mirror" >&2; return 1; }
  rm -rf "$apt"
  mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,etc/preferences.d}
  : > "$apt/status"
  echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$apt/etc/sources.list"
  options=(-qq -o "APT::Architecture=$arch" -o "APT::Architectures=$arch" -o "Dir::Etc=$apt/etc" -o "Dir::State=$apt/state"
    -o "Dir::State::status=$apt/status" -o "Dir::Cache=$apt/cache" -o APT::Install-Recommends=false -o APT::Sandbox::User=
    -o Acquire::Languages=none)
  apt-get "${options[@]}" update
}
