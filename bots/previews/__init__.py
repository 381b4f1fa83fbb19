"""What a saved bot would do now, from what is known without asking its venue."""
