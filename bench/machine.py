"""What the figures were measured on, and how quiet it was."""
import os
import pathlib
import platform
import resource
import time


def describe():
    """Processor as it reports itself, cores, system."""
    model, cores = platform.processor() or platform.machine(), os.cpu_count()
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        field = lambda name: next((line.split(":", 1)[1].strip() for line in lines if line.startswith(name)), "")
        model = f"{field('model name')} (family {field('cpu family')}, model {field('model')})" if field("model name") else model
        flags = set(field("flags").split())
        known = ["avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16"]
        model += ", " + " ".join(flag for flag in known if flag in flags)
    except OSError:
        pass
    return f"{model}; {cores} cores; {platform.system()} {platform.machine()}"


class Watch:
    """How much of the machine was used by what is not ours, since this was made."""

    def __init__(self):
        self.began, self.own, self.all = time.monotonic(), own_seconds(), busy_seconds()

    def others(self):
        """A share of all cores; None where the system does not tell."""
        now = busy_seconds()
        if now is None or self.all is None:
            return None
        elsewhere = (now - self.all) - (own_seconds() - self.own)
        return max(elsewhere, 0.0) / ((time.monotonic() - self.began) * (os.cpu_count() or 1))


def own_seconds():
    """Processor time of this process and of the turns that have ended."""
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in usage)


def busy_seconds():
    """Processor time of everybody, and what the host took (steal)."""
    try:
        fields = pathlib.Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return None
    # user nice system idle iowait irq softirq steal; guests are in user already.
    user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")
