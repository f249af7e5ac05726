"""driftctl-py: GitOps for infrastructure, as a cruise control. Start with README.md here."""

__version__ = "0.1.0"
