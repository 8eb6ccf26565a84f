"""What an institution and its instruments are qualified for: certificates, scope, calibration."""
