"""What `doctor` looks at on Azure: this machine, the account, and what the subscription has room for."""
